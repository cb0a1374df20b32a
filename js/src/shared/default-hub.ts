import {codes, makeError} from './errors.js';

/** What tells the hubs of `createConnection({url})` apart, beside their identities; their stores as well. */
export interface DefaultHub {
  /** The server's address, without the query, in which there may be a token. */
  server: string;
  /** Whether the hub is to have a store. */
  store: boolean;
}

/** The address of the server, as the hub is named after it. Throws if it is no address. */
export function serverAt(url: string): string {
  try {
    const {protocol, host, pathname} = new URL(url, globalThis.location?.href);
    if (/^(http|ws)s?:$/.test(protocol)) {
      return `${protocol.replace('http', 'ws')}//${host}${pathname}`;
    }
  } catch {
    // It is no address at all.
  }
  const message = `option \`url\` is ${JSON.stringify(url)}; it must be an address such as wss://example.com/sharedb`;
  throw makeError(codes.OPTION_INVALID, message);
}

/** The name of such a hub's worker. */
export function workerName({server, store}: DefaultHub, identity: string): string {
  return `tabmux${store ? '+store' : ''} ${identity} ${server}`;
}

/** The hub for which a worker of this name was made. */
export function hubOfWorker(name: string): DefaultHub | undefined {
  const [, store, server] = /^tabmux(\+store)? .* (\S+)$/s.exec(name) ?? [];
  return server === undefined ? undefined : {server, store: store !== undefined};
}
