import assert from 'node:assert/strict';
import {test} from 'node:test';
import {inspect} from 'node:util';
import {closing, newBackend, openTabs, plain, turns, until} from './support.mjs';

/** A value as it looks; of an error, what an application goes by. */
function shown(value) {
  if (value instanceof Error) return `${value.name} ${value.code}: ${value.message}`;
  return inspect(value, {depth: 8, sorted: true, breakLength: Number.POSITIVE_INFINITY});
}

/** What a call returns, or that it throws and what. */
export function outcome(call) {
  try {
    return ['returned', call()];
  } catch (error) {
    return ['threw', error.message];
  }
}

/**
 * Runs it on a connection of ShareDB's own and on a tab: what it logs must be the same. It is given the
 * connection, one of another client, the server, and what drops and restores the connection.
 */
export function sameInBoth(name, run, options) {
  test(name, async () => {
    const logs = [];
    for (const wrap of [(it) => it, (it) => openTabs({connect: () => it}, 1, options)[0]]) {
      const backend = newBackend({presence: true, doNotForwardSendPresenceErrorsToClient: true});
      const upstream = backend.connect();
      const connection = closing(wrap(upstream));
      const outside = plain(backend);
      await until(() => connection.id && outside.id);
      const lines = [];
      const log = (...values) => lines.push(values.map(shown).join(', '));
      connection.on('error', (error) => log('the connection emits', error));
      const drop = async () => {
        upstream.socket.close('lost');
        await until(() => connection.state === 'disconnected');
      };
      const restore = async () => {
        backend.connect(upstream);
        await until(() => connection.state === 'connected');
      };
      await run({connection, outside, backend, log, drop, restore});
      await turns(10);
      logs.push(lines);
    }
    const [expected, actual] = logs;
    assert.ok(expected.length > 0);
    assert.deepEqual(actual, expected);
  });
}
