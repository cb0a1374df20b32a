/** The Web Locks of one origin, where the platform has none: the parts of the API that tabmux uses. */
export class Locks {
  /** Oldest first. */
  #requests = [];

  async request(name, ...rest) {
    const callback = rest.pop();
    const {mode = 'exclusive', ifAvailable = false, signal} = rest[0] ?? {};
    const request = {name, mode, isHeld: false};
    const granted = new Promise((resolve, reject) => {
      request.grant = resolve;
      signal?.addEventListener('abort', () => {
        if (request.isHeld) return;
        this.#end(request);
        reject(signal.reason);
      });
    });
    this.#requests.push(request);
    this.#grant();
    if (ifAvailable && !request.isHeld) {
      this.#end(request);
      return callback(null);
    }
    await granted;
    try {
      return await callback({name, mode});
    } finally {
      this.#end(request);
    }
  }

  async query() {
    const pick = (isHeld) => this.#requests.filter((it) => it.isHeld === isHeld);
    return {held: pick(true), pending: pick(false)};
  }

  #end(request) {
    this.#requests.splice(this.#requests.indexOf(request), 1);
    this.#grant();
  }

  /** A request waits for all before it, but for shared ones among themselves. */
  #grant() {
    for (const [at, request] of this.#requests.entries()) {
      const before = this.#requests.slice(0, at).filter(({name}) => name === request.name);
      const isShared = [...before, request].every(({mode}) => mode === 'shared');
      if (request.isHeld || (before.length > 0 && !isShared)) continue;
      request.isHeld = true;
      // Not before the caller has gone on, as in a browser.
      setImmediate(request.grant);
    }
  }
}

/** Has the platform be a page whose Web Locks are these, from here on. */
export function install(locks) {
  Object.defineProperty(globalThis, 'navigator', {configurable: true, value: {locks}});
  Object.defineProperty(globalThis, 'location', {
    configurable: true,
    value: new URL('https://example.com/'),
  });
}
