/** Choices that look random and are the same in every run of one seed (mulberry32). */
export class Random {
  #state;

  constructor(seed) {
    this.#state = Math.imul(seed + 1, 0x9e3779b1) >>> 0;
  }

  /** From 0 to 1. */
  number() {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** Whether it happens, of a chance from 0 to 1. */
  chance(probability) {
    return this.number() < probability;
  }

  /** A whole number below the limit. */
  below(limit) {
    return Math.floor(this.number() * limit);
  }

  pick(list) {
    return list[this.below(list.length)];
  }

  /** One of the keys of an object, whose values are their weights. */
  weighted(weights) {
    const entries = Object.entries(weights);
    let left = this.number() * entries.reduce((sum, [, weight]) => sum + weight, 0);
    for (const [name, weight] of entries) {
      left -= weight;
      if (left < 0) return name;
    }
    return entries.at(-1)[0];
  }
}
