/** How many characters stand for bytes, and how many of them for one each. See `xtask/src/wasm_text.rs`. */
const CHARACTERS = 89;
const SINGLE = 87;

/**
 * The bytes of a WebAssembly module that was written as text: the characters, then all bytes in
 * hexadecimal, the frequent ones first, then the module.
 */
export function wasmOfText(text: string): Uint8Array<ArrayBuffer> {
  const valueAt = new Uint8Array(128);
  for (let at = 0; at < CHARACTERS; at++) valueAt[text.charCodeAt(at)] = at;
  const byteOf = new Uint8Array(256);
  let at = CHARACTERS;
  for (let rank = 0; rank < 256; rank++, at += 2) {
    byteOf[rank] = Number.parseInt(text.slice(at, at + 2), 16);
  }
  const bytes = new Uint8Array(text.length);
  let length = 0;
  while (at < text.length) {
    let rank = valueAt[text.charCodeAt(at++)] as number;
    if (rank >= SINGLE) {
      rank = SINGLE + (rank - SINGLE) * CHARACTERS + (valueAt[text.charCodeAt(at++)] as number);
    }
    bytes[length++] = byteOf[rank] as number;
  }
  return bytes.subarray(0, length);
}
