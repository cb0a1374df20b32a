// Reads and writes the members of objects for `web.rs`. Rust knows them by their places in a shape, so that
// no name crosses the boundary of WebAssembly, and no number needs a handle there.

// The names of each shape's members, and whether an object may have others. The first stands for lists.
const shapes = [undefined];

export function shape(names, isOpen) {
  return shapes.push({names: names.split(','), isOpen}) - 1;
}

// The members of the object at `at`, in the shape's order. Throws what is wrong with it.
export function members(list, at, shape) {
  const object = list[at];
  if (!isObject(object)) throw 'must be an object';
  const {names, isOpen} = shapes[shape];
  const values = [];
  let found = 0;
  for (let i = 0; i < names.length; i++) {
    const value = object[names[i]];
    if (value !== undefined) found++;
    values.push(value);
  }
  if (!isOpen && Object.keys(object).length > found) {
    const other = Object.keys(object).find((name) => !names.includes(name));
    if (other !== undefined) throw `has a member \`${other}\`, which is unknown`;
  }
  return values;
}

// How many items the list at `at` has, -1 if it is none.
export function count(list, at) {
  const value = list[at];
  return Array.isArray(value) ? value.length : -1;
}

export function isAbsent(list, at, isNullAbsent) {
  const value = list[at];
  return value === undefined || (isNullAbsent && value === null);
}

// A whole number that is exact, or -1.
export function number(list, at) {
  const value = list[at];
  return Number.isSafeInteger(value) && value >= 0 ? value : -1;
}

export function text(list, at) {
  const value = list[at];
  return typeof value === 'string' ? value : undefined;
}

// 1, 0, or -1 if it is neither true nor false.
export function boolean(list, at) {
  const value = list[at];
  return typeof value === 'boolean' ? Number(value) : -1;
}

export function value(list, at) {
  return list[at];
}

// Of objects that are not of this file, getters may throw: nothing is known of such a member then.
function tried(read) {
  try {
    return read();
  } catch {
    return undefined;
  }
}

export function tag(list, at) {
  const type = tried(() => list[at]?.type);
  return typeof type === 'string' ? type : undefined;
}

export function entries(list, at) {
  return isObject(list[at]) ? tried(() => Object.entries(list[at])) : undefined;
}

export function put(target, shape, at, value) {
  target[shape === 0 ? at : shapes[shape].names[at]] = value;
}

export function putObject(target, shape, at) {
  const object = {};
  put(target, shape, at, object);
  return object;
}

export function putList(target, shape, at) {
  const list = [];
  put(target, shape, at, list);
  return list;
}

function isObject(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
