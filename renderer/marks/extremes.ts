/**
 * Where the least and the greatest of any stretch of an array are, in a few steps however long it is: extremes of blocks of 8, of 64, of 512, …
 * are found once for an array, and kept for as long as it is there. Arrays are taken to stay as they are.
 */
type Numbers = ArrayLike<number>;

const FACTOR = 8;

interface Level {
  /** Indices into the array, by block. */
  readonly least: Uint32Array;
  readonly most: Uint32Array;
}

export class Extremes {
  readonly #values: Numbers;
  readonly #levels: Level[] = [];
  /** Indices that the last `find` found. */
  least = 0;
  most = 0;

  constructor(values: Numbers) {
    this.#values = values;
    let below: Level | undefined;
    for (let blocks = Math.floor(values.length / FACTOR); blocks > 0; blocks = Math.floor(blocks / FACTOR)) {
      const level: Level = { least: new Uint32Array(blocks), most: new Uint32Array(blocks) };
      for (let block = 0; block < blocks; block++) {
        const first = block * FACTOR;
        let [least, most] = below ? [below.least[first], below.most[first]] : [first, first];
        for (let k = first + 1; k < first + FACTOR; k++) {
          const [low, high] = below ? [below.least[k], below.most[k]] : [k, k];
          if (values[low] < values[least]) least = low;
          if (values[high] > values[most]) most = high;
        }
        level.least[block] = least;
        level.most[block] = most;
      }
      this.#levels.push(level);
      below = level;
    }
  }

  /** Of `begin` … `end − 1`, which must hold at least one; the first of equals. Found in `least` and `most`. */
  find(begin: number, end: number): void {
    const values = this.#values;
    let [least, most] = [begin, begin];
    for (let i = begin; i < end;) {
      let size = 1;
      let level = 0;
      while (level < this.#levels.length && i % (size * FACTOR) === 0 && i + size * FACTOR <= end) {
        size *= FACTOR;
        level++;
      }
      const low = level === 0 ? i : this.#levels[level - 1].least[i / size];
      const high = level === 0 ? i : this.#levels[level - 1].most[i / size];
      if (values[low] < values[least]) least = low;
      if (values[high] > values[most]) most = high;
      i += size;
    }
    this.least = least;
    this.most = most;
  }
}

const known = new WeakMap<object, Extremes>();

export function extremesOf(values: Numbers): Extremes {
  let found = known.get(values);
  if (!found) known.set(values, (found = new Extremes(values)));
  return found;
}
