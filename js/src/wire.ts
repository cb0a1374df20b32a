/** An op as it goes over the wire. */
export interface WireOp {
  op?: any;
  create?: {type: string; data?: any; snapshot?: boolean};
  del?: true;
  src?: string;
}

/** A document's state as the hub sends it. */
export interface WireSnapshot {
  version?: number | undefined;
  type?: string | undefined;
  data?: unknown;
}
