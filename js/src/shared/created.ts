import type {Type} from 'sharedb/lib/sharedb.js';

/** The data of a document that is created. */
export function created(
  type: Type,
  {data, snapshot}: {data?: unknown; snapshot?: boolean},
): unknown {
  if (snapshot) return type.deserialize ? type.deserialize(data) : data;
  if (!type.deserialize) return type.create(data);
  return type.createDeserialized
    ? type.createDeserialized(data)
    : type.deserialize(type.create(data));
}
