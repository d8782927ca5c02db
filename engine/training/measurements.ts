/**
 * Figures taken between the steps of a training: when, and what is kept of them. What they are is for whoever hands in a {@link Measuring};
 * training itself never depends on them.
 */

/** Looks at the parameters as they lie, and leaves them alone. */
export interface Measuring {
  /** Steps between two measurements; there is one before the first step and one after the last, too. */
  readonly every: number;
  /** Of the figures. */
  readonly names: readonly string[];
  /** Figures in the order of the names. @param temperature that the gates have by now */
  take(temperature: number | undefined): Promise<readonly number[]>;
}

/** Series by name. Entry i is the figure after i steps, NaN where none was taken. */
export type Measured = Readonly<Record<string, Float32Array>>;

export class Measurements {
  /** From 0 to the last step: one entry more than there are steps. */
  readonly series: Measured;
  readonly #measuring: Measuring;
  readonly #total: number;
  /** The figures taken last, and after how many steps. */
  #latest: { readonly figures: Readonly<Record<string, number>>; readonly measuredAt: number } | undefined;

  /** @param before of an earlier attempt, up to where this one begins */
  constructor(measuring: Measuring, total: number, before: Measured = {}) {
    this.#measuring = measuring;
    this.#total = total;
    this.series = Object.fromEntries(measuring.names.map((name) => [name, new Float32Array(total + 1).fill(NaN)]));
    for (const [name, values] of Object.entries(before)) this.series[name].set(values);
    const last = Object.values(before)[0]?.findLastIndex((value) => !Number.isNaN(value)) ?? -1;
    if (last >= 0)
      this.#latest = { figures: Object.fromEntries(measuring.names.map((name) => [name, before[name][last]])), measuredAt: last };
  }

  /** Whether it is time after `done` steps. */
  due(done: number): boolean {
    return done % this.#measuring.every === 0 || done === this.#total;
  }

  async take(done: number, temperature: number | undefined): Promise<void> {
    const taken = await this.#measuring.take(temperature);
    const { names } = this.#measuring;
    names.forEach((name, i) => (this.series[name][done] = taken[i]));
    this.#latest = { figures: Object.fromEntries(names.map((name) => [name, this.series[name][done]])), measuredAt: done };
  }

  /** For progress: nothing before the first measurement. */
  get latest(): { readonly figures: Readonly<Record<string, number>>; readonly measuredAt?: number } {
    return this.#latest ?? { figures: {} };
  }

  /** A copy of what belongs to the state after `done` steps; the measurement that is due there is taken again from it. */
  before(done: number): Measured {
    return Object.fromEntries(Object.entries(this.series).map(([name, values]) => [name, values.slice(0, done)]));
  }
}
