import {types} from 'sharedb/lib/client/index.js';
import {createConnection, type ProxyDoc, type TopologyEvent} from 'tabmux';
import {type} from './counter.js';

types.register(type);

const connection = createConnection({
  url: 'wss://example.com/sharedb',
  hub: {
    worker: () => new SharedWorker('/hub.js', {type: 'module', name: 'docs'}),
    local: () => import('./hub.js'),
  },
});
connection.on('topology', ({topology, reason}: TopologyEvent) => console.log(topology, reason));

const doc: ProxyDoc<{items: string[]}> = connection.get('notes', 'shopping');
doc.subscribe((error) => {
  if (error) throw error;
  if (!doc.type) doc.create({items: []});
  const first: string | undefined = doc.data?.items[0];
  console.log(first?.length);
});
