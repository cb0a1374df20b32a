const assert = require('node:assert/strict');
const {once} = require('node:events');
const Backend = require('sharedb');
const {createConnection} = require('tabmux');
const {defineHub} = require('tabmux/hub');

async function main() {
  assert.equal(typeof defineHub, 'function');
  const backend = new Backend();
  const options = {transport: 'message-port', codec: 'cbor', name: 'test'};
  const [first, second] = [createConnection(backend, options), createConnection(backend, options)];
  const [one, two] = [first.get('notes', 'shopping'), second.get('notes', 'shopping')];
  await new Promise((resolve) => one.create({items: []}, resolve));
  await new Promise((resolve) => two.subscribe(resolve));
  one.submitOp([{p: ['items', 0], li: 'bread'}]);
  await once(two, 'op');
  assert.deepEqual(two.data, {items: ['bread']});
  first.close();
  second.close();
}

main();
