import assert from 'node:assert/strict';
import {webcrypto} from 'node:crypto';
import {test} from 'node:test';
import {defineHub} from '../../pkg/hub.js';
import {createConnection} from '../../pkg/index.js';
import {call, newBackend, newPair, openTabs} from './support.mjs';

const backend = newBackend();
const toBackend = (options) => () => createConnection(backend, {transport: 'direct', ...options});
const overPair = (options, guarantees) => () =>
  createConnection({transport: newPair(guarantees)[0], ...options});
const layers = (...middleware) => toBackend({middleware});
const store = (options) => () => defineHub({connect() {}, store: options});
const key = (name, ...usages) => webcrypto.subtle.generateKey({name, length: 256}, false, usages);

const UNKNOWN = 'ERR_TABMUX_OPTION_UNKNOWN';
const INVALID = 'ERR_TABMUX_OPTION_INVALID';

/** What is tried, the code of the error, and what its message must name. */
const REFUSED = [
  ['an unknown option', toBackend({trasport: 'direct'}), UNKNOWN, /`trasport`.*transport/],
  ['an unknown option without a backend', overPair({nam: 'x'}), UNKNOWN, /`nam`/],
  ["a backend's option without a backend", overPair({name: 'x'}), UNKNOWN, /`name`/],
  ['an unknown transport', toBackend({transport: 'pigeon'}), INVALID, /`transport`.*"pigeon"/],
  ['a name that is no text', toBackend({name: 7}), INVALID, /`name` is 7/],
  ['an identity that is no text', toBackend({identity: null}), INVALID, /`identity` is null/],
  ['layers that are no list', toBackend({middleware: 'batching'}), INVALID, /`middleware`/],
  ['a trace that is no function', toBackend({trace: true}), INVALID, /`trace` is true/],
  ['types without a map', toBackend({types: {}}), INVALID, /`types`/],
  [
    'a flag that is no flag',
    toBackend({useSharedWorker: 'no'}),
    INVALID,
    /`useSharedWorker`.*"no"/,
  ],
  ['an unknown place of the hub', overPair({hub: {wrker() {}}}), INVALID, /`hub`.*worker/],
  [
    'an auth that JSON can not carry',
    () => createConnection({url: 'ws://x', auth: {users: [{id: 1}, {id: 12n}]}}),
    INVALID,
    /`auth`.*`auth\.users\.1\.id`.*BigInt/,
  ],
  ['neither hub nor url', () => createConnection({}), INVALID, /`hub`.*`url`/],
  ['no options at all', () => createConnection(), INVALID, /`hub`.*`url`/],
  ['an unknown codec', toBackend({codec: 'xml'}), 'ERR_TABMUX_CODEC_UNKNOWN', /"xml".*cbor/],
  [
    'a codec the transport can not carry',
    overPair({codec: 'structured-clone'}, {carries: ['strings']}),
    'ERR_TABMUX_CODEC_MISMATCH',
    /structured-clone.*objects/,
  ],
  [
    'a transport without a method',
    () => createConnection({transport: {send() {}}}),
    'ERR_TABMUX_TRANSPORT',
    /close must be a function/,
  ],
  [
    'an unknown guarantee',
    overPair({}, {orderd: true}),
    'ERR_TABMUX_TRANSPORT',
    /guarantees\.orderd/,
  ],
  ['an unknown layer', layers('batchng'), 'ERR_TABMUX_LAYER_UNKNOWN', /`batchng`.*batching/],
  ['what is no layer', layers(7), 'ERR_TABMUX_LAYER_INVALID', /a layer is a name/],
  [
    'an unknown option of a layer',
    layers({layer: 'timeouts', afer: 5}),
    'ERR_TABMUX_LAYER_OPTION_UNKNOWN',
    /`afer`.*`timeouts`.*`after`/,
  ],
  [
    'an option of a layer below its range',
    layers({layer: 'timeouts', after: 0}),
    'ERR_TABMUX_LAYER_OPTION_INVALID',
    /`after`.*`timeouts` is 0/,
  ],
  [
    'an option of a layer that is no number',
    layers({layer: 'batching', maxMessages: 'many'}),
    'ERR_TABMUX_LAYER_OPTION_INVALID',
    /`maxMessages`.*"many"/,
  ],
  [
    'an option of a layer that is a fraction',
    layers({layer: 'batching', maxMessages: 1.5}),
    'ERR_TABMUX_LAYER_OPTION_INVALID',
    /is 1\.5; it must be a whole number/,
  ],
  [
    'an option of a layer that is an object',
    layers({layer: 'batching', maxMessages: {}}),
    'ERR_TABMUX_LAYER_OPTION_INVALID',
    /is \{\}; it must be a whole number/,
  ],
  ['a layer without a name', layers({}), 'ERR_TABMUX_LAYER_INVALID', /a layer is a name/],
  [
    'a layer that is there twice',
    layers('batching', 'batching'),
    'ERR_TABMUX_LAYER_REPEATED',
    /`batching`/,
  ],
  [
    'layers in the wrong order',
    layers('batching', 'coalescing'),
    'ERR_TABMUX_LAYER_MISPLACED',
    /`batching`.*`coalescing`/,
  ],
  [
    'a layer without one that it needs',
    layers('retries'),
    'ERR_TABMUX_LAYER_MISSING',
    /`retries`.*`ordering`/,
  ],
  [
    'an unreliable transport without the layer that resends',
    overPair({middleware: ['batching']}, {reliable: false}),
    'ERR_TABMUX_LAYER_MISSING',
    /unreliable.*`retries`/,
  ],
  [
    'an unordered transport without the layer that sorts',
    overPair({middleware: ['batching']}, {ordered: false}),
    'ERR_TABMUX_LAYER_MISSING',
    /unordered.*`ordering`/,
  ],
  ['tracing without a callback', layers('tracing'), 'ERR_TABMUX_LAYER_NO_TRACER', /`tracing`/],
  ['an unknown option of a hub', () => defineHub({conect() {}}), UNKNOWN, /`conect`.*connect/],
  ['a hub that does not connect', () => defineHub({}), INVALID, /`connect`/],
  ['a hub without options', () => defineHub(), INVALID, /undefined.*`connect`/],
  ['an address in place of options', () => createConnection('ws://x'), INVALID, /"ws:\/\/x"/],
  [
    'a linger that is no time',
    () => defineHub({connect() {}, linger: -1}),
    INVALID,
    /`linger`.*-1/,
  ],
  ['a store that is neither options nor a flag', store('yes'), INVALID, /`store` is "yes"/],
  ['a store that is nothing', store(null), INVALID, /`store` is null/],
  ['an unknown option of a store', store({nam: 'x'}), UNKNOWN, /`store\.nam`.*name/],
  ['an unknown kind of store', store({kind: 'tape'}), INVALID, /`store\.kind`.*"tape".*"memory"/],
  ['a name of a store that is no text', store({name: 7}), INVALID, /`store\.name` is 7/],
  ['an unknown durability', store({durability: 'some'}), INVALID, /`store\.durability`.*"some"/],
  ['collections that are no list', store({collections: 'a'}), INVALID, /`store\.collections`/],
  ['collections without names', store({collections: [7]}), INVALID, /`store\.collections`/],
  ['a `keep` that is no function', store({keep: true}), INVALID, /`store\.keep` is true/],
  ['an age that is no time', store({maxAge: -1}), INVALID, /`store\.maxAge` is -1/],
  [
    'a size that is no number of bytes',
    store({maxBytes: 0.5}),
    INVALID,
    /`store\.maxBytes` is 0\.5/,
  ],
  ['a password for a key', store({encryption: 'x'}), INVALID, /`store\.encryption`.*CryptoKey/],
  [
    'a key that can not open what it has encrypted',
    store({encryption: await key('AES-GCM', 'encrypt')}),
    INVALID,
    /`store\.encryption`.*usages `encrypt` and `decrypt`/,
  ],
  [
    'a key for another cipher',
    store({encryption: await key('AES-CBC', 'encrypt', 'decrypt')}),
    INVALID,
    /`store\.encryption`.*AES-GCM/,
  ],
  [
    'a key that is missing by mistake',
    store({encryption: undefined}),
    INVALID,
    /`store\.encryption` is undefined.*CryptoKey/,
  ],
  ['half a cipher', store({encryption: {encrypt() {}}}), INVALID, /`store\.encryption`.*`decrypt`/],
  ["an unknown option of a backend's store", toBackend({store: {nam: 'x'}}), UNKNOWN, /nam/],
  ["a backend's store that is no store", toBackend({store: 1}), INVALID, /`store` is 1/],
  [
    "options of the default hub's store",
    () => createConnection({url: 'ws://x', store: {}}),
    INVALID,
    /`store`.*true or false.*`defineHub`/,
  ],
  [
    'a store of a hub that says so itself',
    () => createConnection({hub: {local: async () => {}}, store: true}),
    INVALID,
    /`store`.*`defineHub`/,
  ],
  ['a store behind a transport', overPair({store: true}), INVALID, /`store`.*`defineHub`/],
  [
    'a store without a hub',
    () => createConnection(backend, {store: true, useSharedWorker: false}),
    INVALID,
    /`store`.*`useSharedWorker/,
  ],
  [
    'a hub that accepts what is no transport',
    () =>
      defineHub({connect() {}})
        .hub()
        .accept({}),
    'ERR_TABMUX_TRANSPORT',
    /send must be a function/,
  ],
];

for (const [what, create, code, names] of REFUSED) {
  test(`${what} is refused with an error that names it`, () => {
    assert.throws(create, (error) => {
      assert.ok(error instanceof Error);
      assert.equal(error.code, code);
      assert.match(error.message, names);
      return true;
    });
  });
}

test('options that are undefined are as if they were not there', async () => {
  const [tab] = openTabs(backend, 1, {codec: undefined, middleware: undefined, trace: undefined});
  await call(tab.get('things', 'one'), 'subscribe');
});

test('a name whose first connection was refused is free', async () => {
  const name = 'refused';
  assert.throws(toBackend({name, codec: 'xml'}), {code: 'ERR_TABMUX_CODEC_UNKNOWN'});
  const [tab] = openTabs(newBackend(), 1, {name});
  await call(tab.get('things', 'one'), 'subscribe');
});
