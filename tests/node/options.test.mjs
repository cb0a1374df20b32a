import assert from 'node:assert/strict';
import {test} from 'node:test';
import {defineHub} from '../../pkg/hub.js';
import {createConnection} from '../../pkg/index.js';
import {call, newBackend, newPair, openTabs} from './support.mjs';

const backend = newBackend();
const toBackend = (options) => () => createConnection(backend, {transport: 'direct', ...options});
const overPair = (options, guarantees) => () =>
  createConnection({transport: newPair(guarantees)[0], ...options});
const layers = (...middleware) => toBackend({middleware});

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
