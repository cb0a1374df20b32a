/** A WebAssembly module as text. */
declare module '*.wasm.txt' {
  const text: string;
  export default text;
}
