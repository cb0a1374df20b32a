/** The value of one presence, as ShareDB's protocol has it. */
export interface PresenceMessage {
  a: 'p';
  /** The channel. */
  ch: string;
  /** The presence's id. */
  id: string;
  /** The value; `null` if the presence is gone. */
  p: any;
  /** Grows with each message about this presence. */
  pv: number;
  /** Whose presence it is. Set on messages that come in. */
  src?: string;
  /** The collection of the document. This and the rest are set if the presence is in one. */
  c?: string;
  /** The id of the document. */
  d?: string;
  /** The version of the document that the value fits. */
  v?: number | null;
  /** The URI of the document's type. */
  t?: string | null;
}

/** What comes in about presence. */
export type IncomingMessage = {error?: {code: string; message: string} | null} & (
  | PresenceMessage
  | {a: 'ps' | 'pu'; ch: string; seq: number}
  | {a: 'pr'; ch: string}
);
