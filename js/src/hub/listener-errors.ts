import type {EventEmitter} from 'events';
import type {Connection} from 'sharedb/lib/client/index.js';
import {emitToAll} from '../shared/emitter.js';
import {errorsIn} from '../shared/for-all.js';
import {nextTick} from '../shared/next-tick.js';

/**
 * Keeps what an application's listener throws from an emitter of ShareDB's: the hub hears of the event
 * as well, and ShareDB goes on for all tabs. What was thrown becomes the connection's `error`.
 */
export function catchListenerErrors(emitter: EventEmitter, connection: Connection): void {
  emitter.emit = (event, ...args) => {
    try {
      return emitToAll(emitter, event, args);
    } catch (thrown) {
      const isLast = emitter === connection && event === 'error';
      for (const error of errorsIn(thrown)) {
        nextTick(() => {
          // Of what its listeners throw nobody is left to be told.
          if (isLast) throw error;
          connection.emit('error', error as never);
        });
      }
      return true;
    }
  };
}
