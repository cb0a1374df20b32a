/** The classic script that this is a part of; looked up now, because it is told only while that runs. */
const script = (globalThis.document?.currentScript as HTMLScriptElement | null | undefined)?.src;

/** Where this script is, if it is a classic one; else where the page is. */
export function scriptUrl(): string {
  return script || globalThis.document?.baseURI;
}
