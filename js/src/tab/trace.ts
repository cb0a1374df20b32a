import {nextTick} from '../shared/next-tick.js';
import type {TraceEvent} from './options.js';

/** The callback, with what it throws reported as uncaught. */
export function quietly(trace: (event: TraceEvent) => void): (event: TraceEvent) => void {
  return (event) => {
    try {
      trace(event);
    } catch (error) {
      nextTick(() => {
        throw error;
      });
    }
  };
}
