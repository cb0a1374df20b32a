import ShareDBError from 'sharedb/lib/error.js';

/** The codes of tabmux's own errors; all others are ShareDB's. */
export const codes = {
  OPTION_UNKNOWN: 'ERR_TABMUX_OPTION_UNKNOWN',
  OPTION_INVALID: 'ERR_TABMUX_OPTION_INVALID',
  HUB_START: 'ERR_TABMUX_HUB_START',
  HUB_LOST: 'ERR_TABMUX_HUB_LOST',
  CORE_FAILED: 'ERR_TABMUX_CORE_FAILED',
  LAYER_FAILED: 'ERR_TABMUX_LAYER_FAILED',
  MESSAGE_REFUSED: 'ERR_TABMUX_MESSAGE_REFUSED',
  BAD_FRAME: 'ERR_TABMUX_BAD_FRAME',
  CLOSED: 'ERR_TABMUX_CLOSED',
  STORE_IN_USE: 'ERR_TABMUX_STORE_IN_USE',
  STORE_KEY: 'ERR_TABMUX_STORE_KEY',
  STORE_PENDING: 'ERR_TABMUX_STORE_PENDING',
  STORE_UNAVAILABLE: 'ERR_TABMUX_STORE_UNAVAILABLE',
  UNCARRIABLE: 'ERR_TABMUX_UNCARRIABLE',
  TRANSPORT_CLOSED: 'ERR_TABMUX_TRANSPORT',
  INGESTED_WITHOUT_VERSION: 'ERR_INGESTED_SNAPSHOT_HAS_NO_VERSION',
  DOC_MISSING_VERSION: 'ERR_DOC_MISSING_VERSION',
  NO_WASM: 'ERR_TABMUX_NO_WASM',
  NO_SERVER: 'ERR_TABMUX_NO_SERVER',
  NO_SOCKET: 'ERR_TABMUX_NO_SOCKET',
  OFFLINE: 'ERR_TABMUX_OFFLINE',
  CANNOT_PING_OFFLINE: 'ERR_CANNOT_PING_OFFLINE',
  DOC_DOES_NOT_EXIST: 'ERR_DOC_DOES_NOT_EXIST',
  DOC_ALREADY_CREATED: 'ERR_DOC_ALREADY_CREATED',
  DOC_IN_HARD_ROLLBACK: 'ERR_DOC_IN_HARD_ROLLBACK',
  HARD_ROLLBACK_FETCH_FAILED: 'ERR_HARD_ROLLBACK_FETCH_FAILED',
  READ_SILENTLY_REJECTED: 'ERR_SNAPSHOT_READ_SILENT_REJECTION',
  TYPE_NOT_RECOGNIZED: 'ERR_DOC_TYPE_NOT_RECOGNIZED',
  OP_BADLY_FORMED: 'ERR_OT_OP_BADLY_FORMED',
  OP_NOT_APPLIED: 'ERR_OT_OP_NOT_APPLIED',
  OP_VERSION_NEWER: 'ERR_OP_VERSION_NEWER_THAN_CURRENT_SNAPSHOT',
  OP_SUBMIT_REJECTED: 'ERR_OP_SUBMIT_REJECTED',
  PENDING_OP_REMOVED: 'ERR_PENDING_OP_REMOVED_BY_OP_SUBMIT_REJECTED',
} as const;

/** The page that has an entry for each code of tabmux. */
const DOCS = 'https://github.com/tabmux/tabmux/blob/main/docs/errors.md#';

/** An error of tabmux says where there is more about it. */
function withDocs<E extends {code?: any; docs?: string}>(error: E): E {
  if (/^ERR_TABMUX/.test(error.code)) error.docs = DOCS + error.code.toLowerCase();
  return error;
}

/** An `Error` with ShareDB's class, a stable `code` and a message. */
export function makeError(code: string, message: string): Error & {code: string; docs?: string} {
  return withDocs(new ShareDBError(code, message));
}

/** What the core says of an error: what was thrown in this thread, or its code and message. */
export type CoreError = Error | {code?: unknown; message: string};

/**
 * The `Error` for what the core says; `null` if that is nothing. As in ShareDB, an error that came in
 * a message is a plain `Error`.
 */
export function toError(error: CoreError): Error;
export function toError(error: CoreError | null | undefined): Error | null;
export function toError(error: CoreError | null | undefined): Error | null {
  if (error === null || error === undefined) return null;
  if (error instanceof Error) return error;
  const {code, message} = error;
  return withDocs(Object.assign(new Error(message), {code}));
}

/** The error of a message of the server; `null` without one. As in ShareDB, it has the rest as `data`. */
export function errorIn<T extends {error?: {code: string; message: string} | null}>({
  error,
  ...data
}: T): Error | null {
  return error ? Object.assign(toError(error), {data}) : null;
}

/** The code of an error, if it has one. */
export function codeOf(error: unknown): unknown {
  return (error as {code?: unknown} | null | undefined)?.code;
}

/** Whether ShareDB or tabmux made this error. */
export function isShareDBError(error: unknown): error is Error {
  return error instanceof ShareDBError;
}
