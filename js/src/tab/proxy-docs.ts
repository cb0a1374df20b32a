import {type DocOwner, ProxyDoc} from './doc.js';

/** What all documents need of the connection. */
interface ProxyDocsOwner extends DocOwner {
  readonly collections: Record<string, Record<string, ProxyDoc>>;
  getExisting(collection: string, id: string): ProxyDoc | undefined;
}

/** The documents of a connection: one object for each name, until it is destroyed. */
export class ProxyDocs {
  readonly #connection: ProxyDocsOwner;
  /** By their keys in the core. */
  readonly #docs = new Map<number, ProxyDoc>();

  constructor(connection: ProxyDocsOwner) {
    this.#connection = connection;
  }

  [Symbol.iterator](): Iterator<ProxyDoc> {
    return this.#docs.values();
  }

  /** The document of this name; taken back, if it was about to be destroyed. */
  get(collection: string, id: string): ProxyDoc {
    const doc = this.#connection.getExisting(collection, id) ?? this.#add(collection, id);
    doc.wantsDestroy = false;
    return doc;
  }

  #add(collection: string, id: string): ProxyDoc {
    const doc = new ProxyDoc(this.#connection, collection, id);
    this.#register(doc);
    this.#connection.emit('doc', doc);
    return doc;
  }

  #register(doc: ProxyDoc): void {
    const {collections} = this.#connection;
    const {collection, id} = doc;
    this.#docs.set(doc.key, doc);
    collections[collection] ??= Object.create(null) as Record<string, ProxyDoc>;
    collections[collection][id] = doc;
  }

  /** Takes in a destroyed document that is used again, unless another has its place. */
  keep(doc: ProxyDoc): void {
    if (this.#docs.get(doc.key) === doc) return;
    if (this.#connection.getExisting(doc.collection, doc.id)) return;
    doc.open();
    this.#register(doc);
  }

  /** The document with this key in the core. */
  withKey(key: number): ProxyDoc | undefined {
    return this.#docs.get(key);
  }

  find(fits: (doc: ProxyDoc) => boolean): ProxyDoc | undefined {
    for (const doc of this) if (fits(doc)) return doc;
    return undefined;
  }

  /** Lets go of a document, unless `get` has taken it back. */
  forget(doc: ProxyDoc): void {
    if (!doc.wantsDestroy) return;
    const {collections, core} = this.#connection;
    const docs = collections[doc.collection];
    if (docs?.[doc.id] === doc) {
      delete docs[doc.id];
      if (Object.keys(docs).length === 0) delete collections[doc.collection];
      this.#docs.delete(doc.key);
      core.close(doc.key);
    }
    doc.emit('destroy');
  }
}
