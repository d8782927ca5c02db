/** Series of runs: of those that are done as they were stored, of those under way as far as they have come. */
import type { Point, Run } from '../../main/host/hostApi.ts';
import type { Host } from './connection.svelte.ts';

/** One curve: `at` are steps, rising; `values` as many, without gaps. */
export interface Curve {
  readonly name: string;
  readonly unit: string;
  readonly at: readonly number[] | Float64Array;
  readonly values: readonly number[] | Float64Array;
}

interface Kept {
  readonly curves: readonly Curve[];
  /** Stored: nothing will be added. */
  readonly whole: boolean;
}

export class LiveSeries {
  #kept = $state.raw<Readonly<Record<string, Kept>>>({});
  readonly #asked = new Set<string>();
  #done: ReadonlySet<string> = new Set();
  readonly #host: () => Host;

  constructor(host: () => Host) {
    this.#host = host;
  }

  /** Curves of a run; asks for them if they are not here yet. */
  of(run: string): readonly Curve[] {
    if (!this.#asked.has(run)) {
      this.#asked.add(run);
      queueMicrotask(() => void this.#fetch(run));
    }
    return this.#kept[run]?.curves ?? [];
  }

  /** What has just come of a run under way. */
  add(run: string, points: readonly Point[]): void {
    const kept = this.#kept[run];
    if (!kept || kept.whole) return;
    const names = [...new Set([...kept.curves.map(({ name }) => name), ...points.flatMap(({ values }) => Object.keys(values))])];
    const curves = names.map((name) => {
      const before = kept.curves.find((curve) => curve.name === name);
      const last = before && before.at.length > 0 ? before.at[before.at.length - 1] : -1;
      const fresh = points.filter(({ at, values }) => at > last && Number.isFinite(values[name]));
      return {
        name,
        unit: before?.unit ?? '',
        at: [...(before?.at ?? []), ...fresh.map(({ at }) => at)],
        values: [...(before?.values ?? []), ...fresh.map(({ values }) => values[name])],
      };
    });
    this.#kept = { ...this.#kept, [run]: { curves, whole: false } };
  }

  /** The session's runs have changed: those that came to their end are fetched as they were stored. */
  take(runs: readonly Run[]): void {
    this.#done = new Set(runs.filter(({ state }) => state === 'done').map(({ key }) => key));
    for (const run of this.#asked) if (this.#done.has(run) && !this.#kept[run]?.whole) void this.#fetch(run);
  }

  forget(): void {
    this.#asked.clear();
    this.#kept = {};
  }

  async #fetch(run: string): Promise<void> {
    const whole = this.#done.has(run);
    try {
      const series = await this.#host().series({ run });
      const curves = series.map(({ name, unit, values }) => withoutGaps(name, unit, values as Float32Array));
      this.#kept = { ...this.#kept, [run]: { curves, whole } };
    } catch {
      this.#asked.delete(run); // the host has gone, or the run: asked again when somebody looks
    }
  }
}

/** Steps at which there is a number: a measured series has one every so often, NaN between. */
export function withoutGaps(name: string, unit: string, values: ArrayLike<number>): Curve {
  let n = 0;
  for (let i = 0; i < values.length; i++) if (!Number.isNaN(values[i])) n++;
  const at = new Float64Array(n);
  const kept = new Float64Array(n);
  for (let i = 0, j = 0; i < values.length; i++)
    if (!Number.isNaN(values[i])) {
      at[j] = i;
      kept[j++] = values[i];
    }
  return { name, unit, at, values: kept };
}
