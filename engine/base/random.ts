/**
 * Seeded randomness: always passed in, never global, the same bits on every run.
 *
 * The generator is xoshiro128** 1.1 (D. Blackman and S. Vigna, "Scrambled linear pseudorandom number generators", ACM TOMS 47, 2021;
 * https://prng.di.unimi.it/xoshiro128starstar.c, public domain), its state filled by SplitMix64 (G. Steele, D. Lea and C. Flood, OOPSLA 2014;
 * https://prng.di.unimi.it/splitmix64.c), as its authors advise. Not for secrets.
 */
import { UserError } from './errors.ts';

/** A stream of random numbers. What it yields depends on its seed alone; {@link fork} gives streams that do not disturb one another. */
export class Random {
  /** The seed of this stream: `new Random(random.seed)` starts it again, also for a fork. */
  readonly seed: number;
  readonly #state = new Int32Array(4);
  /** The second of the last pair of normals, or NaN when it is used up. */
  #spare = NaN;

  /** @param seed an integer in [0, 2^53) @throws UserError for any other number */
  constructor(seed: number) {
    if (!Number.isSafeInteger(seed) || seed < 0) throw new UserError('Random: seed', 'must be an integer in [0, 2^53)', seed);
    this.seed = seed;
    const counter = toWords(seed);
    const words = new Uint32Array(2);
    for (let pair = 0; pair < 4; pair += 2) {
      splitMix64(counter, words);
      this.#state[pair] = words[0];
      this.#state[pair + 1] = words[1];
    }
  }

  /**
   * An independent stream of its own name, e.g. `random.fork('dropout', layer)`: depends on the seed and the path, never on what was drawn.
   * `fork('a', 1)` is `fork('a').fork(1)`; the number 1 and the string '1' are two names.
   * @throws UserError for a number in the path that is not finite
   */
  fork(...path: (string | number)[]): Random {
    let seed = this.seed;
    for (const name of path) seed = childSeed(seed, name);
    return new Random(seed);
  }

  /** An integer in [0, 2^32). */
  uint32(): number {
    return xoshiro128(this.#state) >>> 0;
  }

  /** A multiple of 2^-32 in [0, 1). */
  uniform(): number {
    return (xoshiro128(this.#state) >>> 0) * 2 ** -32;
  }

  /** An integer in [0, n), each equally likely. @param n an integer in [1, 2^32] @throws UserError otherwise */
  integer(n: number): number {
    if (!Number.isInteger(n) || n < 1 || n > 2 ** 32) throw new UserError('Random.integer: n', 'must be an integer in [1, 2^32]', n);
    return below(this.#state, n);
  }

  /** A draw from N(0, 1), by G. Marsaglia's polar method (SIAM Review 6, 1964), which needs no function but log and sqrt. */
  normal(): number {
    const spare = this.#spare;
    if (spare === spare) {
      this.#spare = NaN;
      return spare;
    }
    let x: number;
    let y: number;
    let square: number;
    do {
      x = xoshiro128(this.#state) * 2 ** -31;
      y = xoshiro128(this.#state) * 2 ** -31;
      square = x * x + y * y;
    } while (square >= 1 || square === 0);
    const scale = Math.sqrt((-2 * Math.log(square)) / square);
    this.#spare = y * scale;
    return x * scale;
  }

  /** The integers 0 … n-1 in an order drawn uniformly from all n! (Fisher–Yates). @param n an integer in [0, 2^32) @throws UserError otherwise */
  permutation(n: number): Uint32Array<ArrayBuffer> {
    if (!Number.isInteger(n) || n < 0 || n >= 2 ** 32) throw new UserError('Random.permutation: n', 'must be an integer in [0, 2^32)', n);
    const order = new Uint32Array(n);
    for (let i = 0; i < n; i++) {
      const j = below(this.#state, i + 1);
      order[i] = order[j];
      order[j] = i;
    }
    return order;
  }

  /** Fills `target` with draws from [low, high), in steps of 2^-24 of the range; rounding to float32 may reach `high` itself. */
  fillUniform(target: Float32Array, low: number, high: number): void {
    const step = (high - low) * 2 ** -24;
    for (let i = 0; i < target.length; i++) target[i] = low + step * (xoshiro128(this.#state) >>> 8);
  }

  /** Fills `target` with draws from N(mean, deviation²): those of {@link normal}, in order. */
  fillNormal(target: Float32Array, mean: number, deviation: number): void {
    for (let i = 0; i < target.length; i++) target[i] = mean + deviation * this.normal();
  }
}

/** One step of xoshiro128**: the next 32 bits, as a signed integer. Changes `state`, four words not all zero. */
export function xoshiro128(state: Int32Array): number {
  const s1 = state[1];
  const fives = Math.imul(s1, 5);
  const result = Math.imul((fives << 7) | (fives >>> 25), 9);
  const s2 = state[2] ^ state[0];
  const s3 = state[3] ^ s1;
  state[1] = s1 ^ s2;
  state[0] ^= s3;
  state[2] = s2 ^ (s1 << 9);
  state[3] = (s3 << 11) | (s3 >>> 21);
  return result;
}

/** One step of SplitMix64 on 64-bit integers held as [low, high] words: advances `counter`, writes the next output to `out`. */
export function splitMix64(counter: Uint32Array, out: Uint32Array): void {
  const low = counter[0] + 0x7f4a7c15;
  counter[0] = low;
  counter[1] += 0x9e3779b9 + (low > 0xffffffff ? 1 : 0);
  out.set(counter);
  shiftXor(out, 30);
  multiply(out, 0xbf58476d, 0x1ce4e5b9);
  shiftXor(out, 27);
  multiply(out, 0x94d049bb, 0x133111eb);
  shiftXor(out, 31);
}

/** z ^= z >>> bits, for bits in 1 … 31. */
function shiftXor(z: Uint32Array, bits: number): void {
  z[0] ^= (z[0] >>> bits) | (z[1] << (32 - bits));
  z[1] ^= z[1] >>> bits;
}

/** z ← z · (high, low) mod 2^64. Partial products of 16 by 32 bits stay exact in a double. */
function multiply(z: Uint32Array, high: number, low: number): void {
  const first = (z[0] & 0xffff) * low;
  const second = (z[0] >>> 16) * low + Math.floor(first / 0x10000);
  z[1] = Math.floor(second / 0x10000) + (Math.imul(z[0], high) >>> 0) + (Math.imul(z[1], low) >>> 0);
  z[0] = (second << 16) | (first & 0xffff);
}

/** An integer in [0, n): draws under the next power of two until one fits, at most two draws on average, so without bias. */
function below(state: Int32Array, n: number): number {
  const mask = 0xffffffff >>> Math.clz32((n - 1) | 1);
  let draw: number;
  do draw = (xoshiro128(state) & mask) >>> 0;
  while (draw >= n);
  return draw;
}

/**
 * The seed of the stream called `name` under `seed`: SplitMix64 as a hash, the name mixed in word by word behind a word for its type and length,
 * so that no name is the beginning of another; the upper 53 bits of the last output.
 */
function childSeed(seed: number, name: string | number): number {
  const hash = toWords(seed);
  const absorb = (word: number, tag: number): void => {
    hash[0] ^= word;
    hash[1] ^= tag;
    splitMix64(hash, hash);
  };
  if (typeof name === 'string') {
    absorb(name.length, 1 << 30);
    for (let i = 0; i < name.length; i++) absorb(name.charCodeAt(i), 0);
  } else {
    if (!Number.isFinite(name)) throw new UserError('Random.fork: path', 'must hold strings and finite numbers', name);
    const bits = new Uint32Array(Float64Array.of(name + 0).buffer); // + 0 makes one name of 0 and -0
    absorb(bits[0], 1 << 31);
    absorb(bits[1], 0);
  }
  return hash[1] * 2 ** 21 + (hash[0] >>> 11);
}

function toWords(integer: number): Uint32Array {
  return Uint32Array.of(integer, Math.floor(integer / 2 ** 32));
}
