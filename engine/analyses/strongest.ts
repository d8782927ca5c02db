/** On which images each unit gives most: a list for every unit, kept in order while images go by. */

/** The `top` rows of each unit: by size, then by a second figure, then the earlier row. */
export class Strongest {
  readonly top: number;
  /** [units, top]: row numbers; −1 where there are fewer. */
  readonly rows: Int32Array;
  /** [units, top]: what was given there, with its sign; NaN where there are fewer. */
  readonly values: Float32Array;
  readonly #sizes: Float64Array;
  readonly #seconds: Float64Array;

  constructor(units: number, top: number) {
    this.top = top;
    this.rows = new Int32Array(units * top).fill(-1);
    this.values = new Float32Array(units * top).fill(NaN);
    this.#sizes = new Float64Array(units * top).fill(-Infinity);
    this.#seconds = new Float64Array(units * top).fill(-Infinity);
  }

  /** Rows come in ascending order. @param second tells equal sizes apart */
  offer(unit: number, row: number, value: number, second = 0): void {
    const begin = unit * this.top;
    const size = Math.abs(value);
    let at = begin + this.top;
    while (at > begin && this.#before(size, second, at - 1)) at--;
    const end = begin + this.top;
    if (at === end) return;
    for (const list of [this.rows, this.values, this.#sizes, this.#seconds]) list.copyWithin(at + 1, at, end - 1);
    this.rows[at] = row;
    this.values[at] = value;
    this.#sizes[at] = size;
    this.#seconds[at] = second;
  }

  /** Rows of a unit, strongest first. */
  of(unit: number): number[] {
    return Array.from(this.rows.subarray(unit * this.top, (unit + 1) * this.top)).filter((row) => row >= 0);
  }

  #before(size: number, second: number, place: number): boolean {
    if (this.rows[place] < 0) return true;
    return size > this.#sizes[place] || (size === this.#sizes[place] && second > this.#seconds[place]);
  }
}
