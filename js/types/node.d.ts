// What CommonJS modules use of Node.

declare const __dirname: string;

declare module 'node:fs' {
  export function readFileSync(path: string): Uint8Array<ArrayBuffer>;
}
