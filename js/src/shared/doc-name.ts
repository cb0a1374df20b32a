/** Which document. */
export interface DocName {
  collection: string;
  id: string;
}
