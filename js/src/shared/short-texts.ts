/** From how many bytes on a text is not looked for: it is hardly the same as one before. */
const LONG = 64;

/** Short texts that a core has passed, such as names of documents and types, by a hash of their bytes. */
const known: string[] = [];

/** How many there are at most; a power of two. */
const COUNT = 512;

/**
 * The text in these bytes of a core's memory. The same few are passed with every op, and to look one up
 * takes a fraction of the time in which `decode` makes one.
 */
export function textAt(
  memory: Uint8Array,
  start: number,
  end: number,
  decode: (bytes: Uint8Array) => string,
): string {
  const hash = hashOf(memory, start, end);
  if (hash < 0) return decode(memory.subarray(start, end));
  const text = known[hash];
  if (text !== undefined && isAt(memory, start, end, text)) return text;
  const decoded = decode(memory.subarray(start, end));
  known[hash] = decoded;
  return decoded;
}

/** -1 unless it is a short text of ASCII, of which each byte is a character. */
function hashOf(memory: Uint8Array, start: number, end: number): number {
  if (end - start > LONG) return -1;
  let hash = end - start;
  for (let at = start; at < end; at++) {
    const byte = memory[at] as number;
    if (byte > 127) return -1;
    hash = (Math.imul(hash, 31) + byte) | 0;
  }
  return (hash ^ (hash >>> 16)) & (COUNT - 1);
}

function isAt(memory: Uint8Array, start: number, end: number, text: string): boolean {
  if (text.length !== end - start) return false;
  for (let at = 0; at < text.length; at++) {
    if (text.charCodeAt(at) !== memory[start + at]) return false;
  }
  return true;
}
