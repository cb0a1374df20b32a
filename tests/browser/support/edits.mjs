import richText from 'rich-text';
import ShareDB from 'sharedb/lib/client/index.js';

ShareDB.types.register(richText.type);

/** Numbers in [0, 1), the same for the same seed (mulberry32). */
export function randomNumbers(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function jsonEdit({text, list, map}, random) {
  const below = (count) => Math.floor(random() * count);
  const word = `${String.fromCharCode(97 + below(26))}é😀`;
  const key = 'abc'[below(3)];
  const edits = [
    () => ({p: ['count'], na: below(9) - 4}),
    () => ({p: ['text', below(text.length + 1)], si: word}),
    () => ({p: ['list', below(list.length + 1)], li: {word, nothing: null, part: below(8) / 8}}),
    () => (key in map ? {p: ['map', key], od: map[key]} : {p: ['map', key], oi: [word]}),
  ];
  if (text.length > 0) {
    edits.push(() => {
      const at = below(text.length);
      return {p: ['text', at], sd: text.slice(at, at + 3)};
    });
  }
  if (list.length > 1) {
    edits.push(
      () => {
        const at = below(list.length);
        return {p: ['list', at], ld: list[at]};
      },
      () => ({p: ['list', below(list.length)], lm: below(list.length)}),
    );
  }
  return [edits[below(edits.length)]()];
}

function richEdit(delta, random) {
  const below = (count) => Math.floor(random() * count);
  const length = delta.length();
  const at = below(length + 1);
  const count = Math.min(1 + below(4), length - at);
  const edits = [
    (rest) => rest.insert('wörd '),
    (rest) => rest.insert('bold', {bold: true}),
    (rest) => rest.insert({image: 'cat.png'}),
  ];
  if (count > 0) {
    edits.push(
      (rest) => rest.delete(count),
      (rest) => rest.retain(count, {color: ['red', 'blue', null][below(3)]}),
    );
  }
  return edits[below(edits.length)](new richText.Delta().retain(at));
}

/** The types of documents: what a new one holds, and a random edit that fits its data. */
export const types = {
  json0: {
    uri: 'http://sharejs.org/types/JSONv0',
    initial: {text: '', list: [], map: {}, count: 0},
    edit: jsonEdit,
  },
  'rich-text': {
    uri: 'http://sharejs.org/types/rich-text/v1',
    initial: [{insert: 'Hello'}],
    edit: richEdit,
  },
};

/** Waits for a turn of the event loop; unlike a timer it is as fast in a background tab. */
export function turn() {
  const {port1, port2} = new MessageChannel();
  return new Promise((resolve) => {
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}

/** Submits random edits, now one and now more of them in a turn. */
export async function editAtRandom(doc, type, seed, count) {
  const random = randomNumbers(seed);
  for (let done = 0; done < count; done++) {
    doc.submitOp(types[type].edit(doc.data, random));
    if (random() < 0.6) await turn();
  }
}
