// Reads and writes the members of objects for `web.rs`. Rust knows them by their places in a shape, so that
// no name crosses the boundary of WebAssembly, and knows what it reads and writes by how deep that is in the
// value: neither a number nor an object needs a handle there.

// The names of each shape's members, and whether an object may have others. The first stands for lists.
const shapes = [undefined];

// The members in the shape's order, or the items, of what is being read, each inside the one before.
const read = [];

// What is wrong with the object that could not be read last.
let wrong = '';

// The objects and lists that are being written, each inside the one before.
const written = [];

export function shape(names, isOpen) {
  return shapes.push({names: names.split(','), isOpen}) - 1;
}

// Begins to read a value, the only item at this depth.
export function begin(depth, value) {
  read[depth] = [value];
}

// What was read at this depth, and deeper, is of no more use.
export function end(depth) {
  read.length = depth;
}

// Puts the members of an object at the next depth. Returns which of them are `undefined`, as bits, and which
// are `null`, as bits from the 27th on; -1 if something is wrong with it. The object may not be of this
// file, so that getters may throw.
export function members(depth, at, shape) {
  const {names, isOpen} = shapes[shape];
  const values = [];
  let [absent, nulls, found] = [0, 0, 0];
  const object = read[depth][at];
  if (!isObject(object)) return refuse(depth, 'must be an object');
  try {
    for (let i = 0; i < names.length; i++) {
      const value = object[names[i]];
      if (value === undefined) absent |= 1 << i;
      else found++;
      if (value === null) nulls |= 1 << i;
      values.push(value);
    }
    if (!isOpen && Object.keys(object).length > found) {
      const other = Object.keys(object).find((name) => !names.includes(name));
      if (other !== undefined) return refuse(depth, `has a member \`${other}\`, which is unknown`);
    }
  } catch {
    return refuse(depth, "can't be read");
  }
  // Only now: what a getter has done may have read something else at this depth.
  read[depth + 1] = values;
  return nulls * 2 ** 26 + absent;
}

function refuse(depth, reason) {
  read[depth + 1] = [];
  wrong = reason;
  return -1;
}

// What was wrong.
export function mistake() {
  return wrong;
}

// Puts the items of a list at the next depth. Returns how many there are, -1 if it is no list.
export function items(depth, at) {
  const value = read[depth][at];
  if (!Array.isArray(value)) return refuse(depth, '');
  const {length} = value;
  read[depth + 1] = value;
  return length;
}

export function isAbsent(depth, at, isNullAbsent) {
  const value = read[depth][at];
  return value === undefined || (isNullAbsent && value === null);
}

// A whole number that is exact, or -1.
export function number(depth, at) {
  const value = read[depth][at];
  return Number.isSafeInteger(value) && value >= 0 ? value : -1;
}

export function text(depth, at) {
  const value = read[depth][at];
  return typeof value === 'string' ? value : undefined;
}

// 1, 0, or -1 if it is neither true nor false.
export function boolean(depth, at) {
  const value = read[depth][at];
  return typeof value === 'boolean' ? Number(value) : -1;
}

export function value(depth, at) {
  return read[depth][at];
}

// Of objects that are not of this file, getters may throw: nothing is known of such a member then.
function tried(read) {
  try {
    return read();
  } catch {
    return undefined;
  }
}

export function tag(depth, at) {
  const type = tried(() => read[depth][at]?.type);
  return typeof type === 'string' ? type : undefined;
}

export function entries(depth, at) {
  const value = read[depth][at];
  return isObject(value) ? tried(() => Object.entries(value)) : undefined;
}

// Begins to write a value, the only item at this depth.
export function beginWriting(depth) {
  written[depth] = [];
}

// The value that was written at this depth.
export function take(depth) {
  const value = written[depth][0];
  written.length = depth;
  return value;
}

export function put(depth, shape, at, value) {
  written[depth][shape === 0 ? at : shapes[shape].names[at]] = value;
}

// An object, at the next depth.
export function putObject(depth, shape, at) {
  const object = {};
  written[depth + 1] = object;
  put(depth, shape, at, object);
}

// A list, at the next depth.
export function putList(depth, shape, at) {
  const list = [];
  written[depth + 1] = list;
  put(depth, shape, at, list);
}

function isObject(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
