// Application code that compiles with ShareDB's connection and with a tab's.

import type {Connection} from 'sharedb/lib/client/index.js';

interface Note {
  title: string;
  words: number;
}

export function application(connection: Connection): void {
  const note = connection.get('notes', 'one');
  note.subscribe((error) => {
    if (error) throw error;
    if (!note.type) note.create({title: '', words: 0});
    note.create({title: '', words: 0}, 'json0', {source: 'import'}, () => {});
    note.submitOp([{p: ['words'], na: 1}], {source: {user: 1}}, (error) => console.error(error));
    note.del({source: true}, () => {});
    note.whenNothingPending(() => note.destroy());
  });
  note.on('op', (op, source, clientId) => console.log(op, source, clientId));
  note.once('del', (data: Note, source) => console.log(data.title, source));
  note.off('load', () => {});
  const version: number | null = note.version;
  connection.on('state', (state, reason) => console.log(state, reason, version));
  connection.on('doc', (made) => console.log(made.id));
  connection.createSubscribeQuery<Note>('notes', {}, null, (error, results) => {
    if (!error) console.log(results.map((result) => result.data.title));
  });
  connection.fetchSnapshot('notes', 'one', null, (error, snapshot) => {
    if (!error) console.log(snapshot.v, snapshot.data, snapshot.m?.ctime);
  });
  connection.whenNothingPending(() => connection.close());
}
