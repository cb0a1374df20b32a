/** An op as it goes over the wire. */
export interface Op {
  op?: any;
  create?: {type: string; data?: any; snapshot?: boolean};
  del?: true;
}

/** An op with the id of the connection that made it, where that is known. */
export interface WireOp extends Op {
  src?: string;
}

/** A document's state as the core has it, with the data serialized. */
export interface WireSnapshot {
  version?: number | undefined;
  type?: string | undefined;
  data?: unknown;
}
