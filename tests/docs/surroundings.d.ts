// What the blocks of code take for granted: the application around them.

/** A block that is a part of a file leaves out what the file imports. */
declare const createConnection: typeof import('tabmux').createConnection;
declare const defineHub: typeof import('tabmux/hub').defineHub;

/** The classic script. */
declare const tabmux: typeof import('tabmux/browser');

/** What a page or an earlier block has made. */
declare const connection: import('tabmux').ProxyConnection;
declare const doc: import('tabmux').ProxyDoc;
declare const backend: any;
declare const hub: import('tabmux').HubLocation;
declare const connect: (context: import('tabmux/hub').ConnectContext) => import('sharedb/lib/client/index.js').Connection;
declare const url: string;

/** What shows documents. */
declare function render(data: any): void;
declare function showCursor(id: string, range: any): void;
declare function hideCursor(id: string): void;
declare const editor: any;
declare const button: HTMLButtonElement;
declare const logOut: HTMLButtonElement;
declare function saveElsewhere(collection: string, id: string, ops: any[]): void;

declare const statusSpan: HTMLElement;
interface Window {
  /** Of ShareDB's example rich-text. */
  connect(): void;
}

/** Who uses the page. */
declare const user: {id: string};
declare const token: string;
declare const key: CryptoKey;
declare function secretOf(user: {id: string}): Promise<BufferSource>;
declare function fetchKey(identity: string, auth: any): Promise<CryptoKey>;

/** Parts of plugins. */
declare const ReconnectingWebSocket: any;
declare const Connection: typeof import("sharedb/lib/client/index.js").Connection;
declare function openSocket(): any;
declare function encrypted(encrypt: Function, decrypt: Function): any;
declare function encrypt(message: any): Promise<any>;
declare function decrypt(message: any): Promise<any>;

// ShareDB's typings ask for a socket with members that this one has, but declares otherwise.
declare module 'reconnecting-websocket' {
  const ReconnectingWebSocket: new (url: any, protocols?: any, options?: any) => any;
  export default ReconnectingWebSocket;
}
declare module '@msgpack/msgpack' {
  export function encode(value: any): Uint8Array;
  export function decode(bytes: Uint8Array): any;
}
declare module '@teamwork/websocket-json-stream';
declare module 'ws';
