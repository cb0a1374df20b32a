// The parts of the npm package `sharedb` that tabmux imports by file.

declare module 'sharedb/lib/error.js' {
  class ShareDBError extends Error {
    constructor(code: string, message: string);
    code: string;
  }
  export default ShareDBError;
}

declare module 'sharedb/lib/types.js' {
  interface TypeRegistry {
    defaultType: any;
    map: {[nameOrUri: string]: any};
    register(type: any): void;
  }
  const types: TypeRegistry;
  export default types;
}

declare module 'sharedb/lib/logger/index.js' {
  const logger: {[method in 'info' | 'warn' | 'error']: (...args: unknown[]) => void};
  export default logger;
}

declare module 'sharedb/lib/snapshot.js' {
  import type {Snapshot} from 'sharedb/lib/sharedb.js';

  const SnapshotClass: new (
    id: string,
    v: number,
    type: string | null,
    data: unknown,
    m: unknown,
  ) => Snapshot;
  export default SnapshotClass;
}
