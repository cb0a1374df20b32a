import richText from 'rich-text';
import ShareDB from 'sharedb';

/** A number that ops add to: a type with no more than it must have. */
const tally = {
  name: 'tally',
  uri: 'https://tabmux.example/types/tally',
  create: (data) => data ?? 0,
  apply: (count, added) => {
    if (!Number.isInteger(added)) throw new Error(`${added} is not a whole number`);
    return count + added;
  },
  transform: (added) => added,
};

ShareDB.types.register(richText.type);
ShareDB.types.register(tally);
