/** What documents and ops hold, the same for whoever stores them. */

/** A list of paragraphs whose JSON has about this many bytes. */
export function data(bytes) {
  const paragraph = {text: 'All tabs of a web application share one connection.', by: 'ann', at: 0};
  const size = JSON.stringify(paragraph).length + 1;
  return Array.from({length: Math.ceil(bytes / size)}, (_, at) => ({...paragraph, at}));
}

/** An op whose JSON has about 100 bytes. */
export const op = (n) => [
  {p: [0, 'text', n], si: 'a word'},
  {p: [0, 'by'], od: 'ann', oi: 'somebody else'},
  {p: [0, 'at'], na: n},
];
