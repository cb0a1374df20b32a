// Stands between the package and its WebAssembly, to have the core fail in the middle of something as
// a panic makes it fail. To be imported before anything that imports the package.

import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {root} from '../project.mjs';

const {Instance} = WebAssembly;

/** Read without a pause, in which others would load the package. What the hub's module calls the method that asks whether a hub can be told of something. */
const glue = readFileSync(join(root, 'js/wasm/hub/tabmux_hub.js'), 'utf8');
const [, isStalled] = /isStalled\(\) \{\s*const ret = wasm\.(\w+)\(/.exec(glue);

/** What the next call of this method of JavaScript by the core does instead. */
let failure;
let core;
/** The hub that was asked last whether it can be told of something. */
let hub;

/** Has the core panic the next time it calls this method of JavaScript. */
export function panicIn(method) {
  failure = {method, fail: () => core[isStalled](hub)};
}

/** Has an exception pass through the core the next time it calls this method of JavaScript. */
export function throwIn(method) {
  failure = {
    method,
    fail() {
      throw new RangeError('Maximum call stack size exceeded');
    },
  };
}

/** Whether the failure has happened. */
export function hasFailed() {
  return failure === undefined;
}

function failing(it) {
  // The names of imports say nothing.
  const code = String(it);
  return (...values) => {
    if (failure && code.includes(`.${failure.method}(`)) {
      const {fail} = failure;
      failure = undefined;
      fail();
    }
    return it(...values);
  };
}

WebAssembly.Instance = class {
  constructor(module, imports) {
    const entries = Object.entries(imports).map(([from, functions]) => [
      from,
      Object.fromEntries(
        Object.entries(functions).map(([name, it]) => [
          name,
          typeof it === 'function' ? failing(it) : it,
        ]),
      ),
    ]);
    const {exports} = new Instance(module, Object.fromEntries(entries));
    this.exports = {...exports};
    // The tab's module has no store.
    const functions = Object.values(imports).flatMap((them) => Object.values(them));
    if (!functions.some((it) => String(it).includes('.objectStore('))) return;
    core = exports;
    this.exports[isStalled] = (pointer) => {
      hub = pointer;
      return core[isStalled](pointer);
    };
  }
};

export const {createConnection} = await import('../../pkg/index.js');
export const {defineHub} = await import('../../pkg/hub.js');
