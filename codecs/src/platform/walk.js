// Walks values in JavaScript: a call across the WebAssembly boundary for every property is slow.

// Why a walk has ended early. `kind` is one of
//   lost     JSON can't carry what is at `path`
//   foreign  a decoded object holds what `copy` never makes
//   deep     nested deeper than the limit
//   large    larger than the limit
class Refusal {
  constructor(kind, path, reason, size) {
    this.kind = kind;
    this.path = path;
    this.reason = reason;
    this.size = size;
  }
}

let refusal;

// Why the last walk has ended early.
export function refused() {
  return refusal;
}

// Copies a value exactly as `JSON.parse(JSON.stringify(value))` does. Returns `undefined` if it can't be done:
// see `refused`.
export function copy(value, maxDepth, maxSize) {
  const walk = Walk.begin(maxDepth, maxSize);
  try {
    const result = walk.copy(value, '');
    if (result === undefined)
      walk.refuse('lost', 'undefined, functions and symbols have no JSON form');
    walk.end();
    return result;
  } catch (error) {
    walk.fail(error);
    return undefined;
  }
}

// 1 if the value is one that `copy` can return, else 0: see `refused`.
export function check(value, maxDepth, maxSize) {
  const walk = Walk.begin(maxDepth, maxSize);
  try {
    walk.check(value);
    walk.end();
    return 1;
  } catch (error) {
    walk.fail(error);
    return 0;
  }
}

// A walk that has ended, for the next: frames are small and many.
let spare;

class Walk {
  constructor() {
    this.size = 0;
    // The keys that lead to the current value, and the objects passed on the way.
    this.path = [];
    this.parents = [];
    // Only of what is checked.
    this.seen = undefined;
  }

  // `toJSON` and getters may begin another walk meanwhile.
  static begin(maxDepth, maxSize) {
    const walk = spare ?? new Walk();
    spare = undefined;
    walk.maxDepth = maxDepth;
    walk.maxSize = maxSize;
    return walk;
  }

  end() {
    this.size = 0;
    this.seen = undefined;
    spare = this;
  }

  fail(error) {
    refusal =
      error instanceof Refusal
        ? error
        : new Refusal('lost', show(this.path), `reading it threw ${name(error)}`, 0);
  }

  refuse(kind, reason) {
    throw new Refusal(kind, show(this.path), reason, this.size);
  }

  // SerializeJSONProperty of ECMA-262, except that it makes values instead of text. Returns
  // `undefined` for what JSON leaves out.
  copy(value, key) {
    if (
      value !== null &&
      (typeof value === 'object' || typeof value === 'function' || typeof value === 'bigint')
    ) {
      const toJSON = value.toJSON;
      if (typeof toJSON === 'function') value = Reflect.apply(toJSON, value, [String(key)]);
      if (value !== null && typeof value === 'object') value = unbox(value);
    }
    this.count(8);
    switch (typeof value) {
      case 'string':
        this.count(value.length);
        return value;
      case 'number':
        // Adding 0 turns -0 into 0.
        return Number.isFinite(value) ? value + 0 : null;
      case 'boolean':
        return value;
      case 'bigint':
        return this.refuse('lost', 'a BigInt has no JSON form, make it a number or a string');
      case 'object':
        if (value === null) return null;
        return Array.isArray(value) ? this.copyArray(value) : this.copyObject(value);
      default:
        return undefined;
    }
  }

  copyArray(source) {
    this.enter(source);
    const target = [];
    const length = source.length;
    for (let index = 0; index < length; index++) {
      this.path.push(index);
      const item = this.copy(source[index], index);
      target[index] = item === undefined ? null : item;
      this.path.pop();
    }
    this.parents.pop();
    return target;
  }

  copyObject(source) {
    this.enter(source);
    const target = {};
    const keys = Object.keys(source);
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i];
      this.path.push(key);
      const member = this.copy(source[key], key);
      if (member !== undefined) {
        this.count(key.length);
        // Assigning an inherited key may call a setter, as `__proto__` does.
        if (key in target) {
          Object.defineProperty(target, key, {
            value: member,
            writable: true,
            enumerable: true,
            configurable: true,
          });
        } else {
          target[key] = member;
        }
      }
      this.path.pop();
    }
    this.parents.pop();
    return target;
  }

  check(value) {
    this.count(8);
    switch (typeof value) {
      case 'string':
        return this.count(value.length);
      case 'number':
        if (!Number.isFinite(value)) this.refuse('foreign', String(value));
        return undefined;
      case 'boolean':
        return undefined;
      case 'object':
        if (value === null) return undefined;
        return this.checkObject(value);
      default:
        return this.refuse('foreign', name(value));
    }
  }

  checkObject(value) {
    this.seen ??= new Set();
    if (this.seen.has(value)) this.refuse('foreign', 'an object that also occurs elsewhere');
    this.seen.add(value);
    this.enter(value);
    if (Array.isArray(value)) {
      const length = value.length;
      for (let index = 0; index < length; index++) {
        this.path.push(index);
        this.check(value[index]);
        this.path.pop();
      }
      if (Object.keys(value).length !== length)
        this.refuse('foreign', 'an array with named members');
    } else {
      if (!isPlain(value)) this.refuse('foreign', name(value));
      const keys = Object.keys(value);
      for (let i = 0; i < keys.length; i++) {
        const key = keys[i];
        this.count(key.length);
        this.path.push(key);
        this.check(value[key]);
        this.path.pop();
      }
    }
    this.parents.pop();
  }

  count(size) {
    this.size += size;
    if (this.size > this.maxSize) this.refuse('large');
  }

  enter(object) {
    this.parents.push(object);
    if (this.parents.length <= this.maxDepth) return;
    // Every cycle ends here, so that only here cycles need to be told from mere depth.
    const seen = new Map();
    this.parents.forEach((parent, depth) => {
      if (seen.has(parent)) {
        const first = show(this.path.slice(0, seen.get(parent)));
        this.path.length = depth;
        this.refuse('lost', `it is cyclic, the same object is at ${first}`);
      }
      seen.set(parent, depth);
    });
    this.refuse('deep');
  }
}

// JSON takes `new Number(1)` and its like for the primitive inside, and `JSON.rawJSON` by its text.
function unbox(value) {
  if (Array.isArray(value)) return value;
  if (isPlain(value)) return JSON.isRawJSON?.(value) ? JSON.parse(value.rawJSON) : value;
  const box = BOXES[Object.prototype.toString.call(value)];
  if (box === undefined) return value;
  try {
    // Throws unless it truly is one: a tag can be forged.
    box.prototype.valueOf.call(value);
  } catch {
    return value;
  }
  return box === Number || box === String ? box(value) : box.prototype.valueOf.call(value);
}

const BOXES = {
  __proto__: null,
  '[object Number]': Number,
  '[object String]': String,
  '[object Boolean]': Boolean,
  '[object BigInt]': BigInt,
};

// Whether it is an object as literals make them, in this realm or another.
function isPlain(value) {
  const prototype = Object.getPrototypeOf(value);
  return (
    prototype === Object.prototype ||
    prototype === null ||
    Object.getPrototypeOf(prototype) === null
  );
}

// A few words on a value, for messages.
function name(value) {
  switch (typeof value) {
    case 'object':
      if (value === null) return 'null';
      try {
        return value instanceof Error ? String(value) : Object.prototype.toString.call(value);
      } catch {
        return 'an object';
      }
    case 'function':
      return 'a function';
    case 'symbol':
      return 'a symbol';
    default:
      return String(value);
  }
}

function show(path) {
  const steps = path.map((key) => {
    if (typeof key === 'number') return `[${key}]`;
    return /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(key)
      ? `.${key}`
      : `[${JSON.stringify(key)}]`;
  });
  const text = `$${steps.join('')}`;
  return text.length <= 300 ? text : `${text.slice(0, 150)}…${text.slice(-150)}`;
}
