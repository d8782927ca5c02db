/**
 * Series of runs under way, as far as they have been heard: entry i of loss and temperature is of the step after i steps, of what is measured
 * now and then the figure after i steps, NaN where nothing has been heard, as in the series that are stored in the end.
 */
import type { Progress } from '../../../engine/contract.ts';
import type { TrainingCheckpoint } from '../../../engine/training/loop.ts';
import type { Series } from '../../store/runs.ts';
import type { Point } from '../hostApi.ts';

/** Of every step; everything else is measured now and then. */
const OF_STEPS = ['loss', 'temperature'];

const UNITS: Readonly<Record<string, string>> = { loss: 'nats', temperature: '', 'soft − hard': 'points' };
const unitOf = (name: string): string => UNITS[name] ?? '%';

export class HeardSeries {
  /** By name, then by the number of steps done. */
  readonly #heard = new Map<string, Map<number, number>>();

  /** @returns what is new in it, as points of curves */
  hear({ done, figures = {}, measuredAt }: Progress): Point[] {
    const ofStep: Record<string, number> = {};
    const measured: Record<string, number> = {};
    for (const [name, value] of Object.entries(figures)) {
      const isOfStep = OF_STEPS.includes(name);
      const at = isOfStep ? done : measuredAt;
      if (at === undefined || !Number.isFinite(value) || this.#values(name).has(at)) continue;
      this.#values(name).set(at, value);
      (isOfStep ? ofStep : measured)[name] = value;
    }
    const points = [
      { at: measuredAt ?? done, values: measured },
      { at: done, values: ofStep },
    ].filter(({ values }) => Object.keys(values).length > 0);
    return points.length === 2 && points[0].at === points[1].at
      ? [{ at: done, values: { ...points[1].values, ...points[0].values } }]
      : points;
  }

  /** @param checkpoint of the run, which has every step up to it */
  series(checkpoint?: unknown): Series[] {
    const { losses, measured = {} } = (checkpoint ?? {}) as Partial<TrainingCheckpoint>;
    const kept: Readonly<Record<string, Float32Array>> = { ...(losses && { loss: losses }), ...measured };
    const names = [...new Set([...Object.keys(kept), ...this.#heard.keys()])];
    return names.map((name) => {
      const before = kept[name] ?? new Float32Array();
      const shift = OF_STEPS.includes(name) ? 1 : 0;
      const heard = this.#heard.get(name) ?? new Map<number, number>();
      let { length } = before;
      for (const at of heard.keys()) length = Math.max(length, at - shift + 1);
      const values = new Float32Array(length).fill(NaN);
      for (const [at, value] of heard) values[at - shift] = value;
      values.set(before);
      return { name, unit: unitOf(name), values };
    });
  }

  #values(name: string): Map<number, number> {
    let values = this.#heard.get(name);
    if (!values) this.#heard.set(name, (values = new Map<number, number>()));
    return values;
  }
}
