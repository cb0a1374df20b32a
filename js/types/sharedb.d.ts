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
