/** The transports to a hub that may be in another thread. */
export type BuiltInTransport = 'message-port' | 'broadcast-channel';

/**
 * A transport written in JavaScript.
 *
 * @see https://github.com/tabmux/tabmux/blob/main/docs/plugins.md#a-transport-in-javascript
 */
export interface CustomTransport {
  /** Sends a frame: a string, a `Uint8Array`, or any structured-clonable value. May throw. */
  send(frame: unknown): void;
  /** Ends the transport. */
  close(reason?: string): void;
  /** Set by tabmux: call it with each frame that arrives. */
  onframe?: ((frame: unknown) => void) | null;
  /** Set by tabmux: call it when the other side is gone. */
  onclose?: ((reason?: string) => void) | null;
  /** Set by tabmux: call it when something went wrong that did not end the transport. */
  onerror?: ((error: unknown) => void) | null;
  /** For messages; `js` by default. */
  name?: string;
  /** What it promises; a missing member means the best. */
  guarantees?: {
    ordered?: boolean;
    reliable?: boolean;
    addressed?: boolean;
    carries?: ('objects' | 'strings' | 'bytes')[];
  };
}
