// Messages as a faulty or hostile end may send them, made of honest ones.
import {numbers} from './support.mjs';

/** How many messages a storm has. */
export const COUNT = Number(process.env.TABMUX_STORM_COUNT ?? 50_000);

/** Numbers that look random. Another seed is taken from the environment, to find more. */
export function seeded(t) {
  const seed = Number(process.env.TABMUX_STORM_SEED ?? 12);
  t.diagnostic(`TABMUX_STORM_SEED=${seed}`);
  return numbers(seed);
}

const hard = [
  null,
  undefined,
  true,
  0,
  -1,
  1.5,
  2 ** 53 - 1,
  2 ** 64,
  -(2 ** 63),
  1e308,
  Number.NaN,
  '',
  '__proto__',
  [],
  {},
  [null],
  [[null]],
  {constructor: {prototype: null}},
  new Date(0),
  new Map([['a', 1]]),
  new Uint8Array(8),
  10n,
];

function someValue(random) {
  const at = Math.floor(random() * (hard.length + 2));
  if (at === hard.length) return 'x'.repeat(2 ** Math.floor(random() * 14));
  if (at > hard.length) {
    let deep = 1;
    for (let depth = random() * 700; depth > 0; depth--) deep = [deep];
    return deep;
  }
  return structuredClone(hard[at]);
}

/** All members in the value, each with the object that has it. */
function places(value, found = []) {
  if (!Array.isArray(value) && Object.getPrototypeOf(value ?? 0) !== Object.prototype) return found;
  for (const name of Object.keys(value)) {
    found.push([value, name]);
    places(value[name], found);
  }
  return found;
}

/** Spoils one to three members of the value: leaves them out, doubles them, or has others there. */
export function spoil(value, random) {
  for (let times = 1 + Math.floor(random() * 3); times > 0; times--) {
    const all = places(value);
    const place = all[Math.floor(random() * all.length)];
    if (!place) return value;
    const [object, name] = place;
    const how = random();
    if (how < 0.15) delete object[name];
    else if (how < 0.25 && Array.isArray(object)) object.push(object[name]);
    else if (how < 0.35) object['unheard-of'] = someValue(random);
    else if (how < 0.5 && typeof object[name] === 'number') object[name] += random() < 0.5 ? 1 : -1;
    else object[name] = someValue(random);
  }
  return value;
}

/** One of these, at random. */
export function pick(list, random) {
  return list[Math.floor(random() * list.length)];
}
