/** Has one member, `connection`: the class of a tab's connection, as `connection.ts` declares. */
// biome-ignore lint/suspicious/noEmptyInterface: `connection.ts` adds the member, and must not be imported here
export interface Declared {}

/**
 * The connection of a document, a query or a presence, as applications see it: the whole of it. What
 * these themselves need is `Needed`, and is all they have where `connection.ts` is not compiled.
 */
export type Owner<Needed> = Declared extends {connection: infer Connection} ? Connection : Needed;
