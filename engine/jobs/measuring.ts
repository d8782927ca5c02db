/**
 * What a training measures on test images between its steps: accuracies, what hardening would cost, how many gates are open. For curves to look
 * at: nothing is chosen by them, and the training does not depend on them. When they are taken is training/measurements.ts's.
 */
import { z } from 'zod';
import { angles } from '../analyses/options.ts';
import { answerOf } from '../analyses/scoring.ts';
import { SplitForward, type Prepared } from '../analyses/splitForward.ts';
import { activity } from '../analyses/units.ts';
import { wholeBetween } from '../base/schema.ts';
import type { JobContext } from '../contract.ts';
import { OnnxRuntimeExecutor } from '../execute/onnxruntime.ts';
import { adapterOf } from '../models/adapters/index.ts';
import type { ClassifierModel } from '../models/classifier.ts';
import { sum } from '../ops/index.ts';
import type { ImageData } from '../tasks/imageData.ts';
import { firstImages } from '../tasks/someImages.ts';
import type { Measuring } from '../training/measurements.ts';

export const measureOptions = z.strictObject(
  {
    every: wholeBetween(1, 1_000_000).default(50).meta({ description: 'steps between measurements', unit: 'steps' }),
    images: wholeBetween(1, 1_000_000)
      .default(2000)
      .meta({ description: 'how many test images, in order, are looked at while training; nothing is chosen by them', unit: 'images' }),
    angles: angles([0, 45], 'degrees the test images are turned by'),
  },
  'must be how to measure: every, images and angles',
);

export type MeasureOptions = z.output<typeof measureOptions>;

/** Names and units of the series. */
export function measuredSeries({ angles }: MeasureOptions, gated: boolean): Record<string, string> {
  const percent = (name: string) => [name, '%'] as const;
  return Object.fromEntries([
    ...angles.map((angle) => percent(`accuracy ${angle}°`)),
    ...(gated
      ? [...angles.map((angle) => percent(`hard accuracy ${angle}°`)), ['soft − hard', 'points'] as const, percent('gates open')]
      : []),
  ]);
}

/** The model as it lies in memory, and the temperatures of its layers at one that is annealed. */
export interface MeasuredModel {
  readonly model: ClassifierModel;
  readonly temperatures: (temperature: number | undefined) => number[];
}

/** One at a time; its programs are compiled once. */
export class TrainingMeasuring implements Measuring, Disposable {
  readonly every: number;
  readonly names: readonly string[];
  readonly #measured: MeasuredModel;
  readonly #breathe: JobContext['breathe'];
  readonly #executor: OnnxRuntimeExecutor;
  readonly #soft: SplitForward;
  readonly #hard: SplitForward | undefined;
  /** By angle, for each form. */
  #images: readonly { readonly soft: Prepared; readonly hard: Prepared | undefined; readonly own: boolean }[] = [];

  private constructor({ every, ...options }: MeasureOptions, measured: MeasuredModel, breathe: JobContext['breathe']) {
    const { model } = measured;
    const gated = model.adapter !== undefined && adapterOf(model.adapter.id).gated;
    this.every = every;
    this.names = Object.keys(measuredSeries({ every, ...options }, gated));
    this.#measured = measured;
    this.#breathe = breathe;
    this.#executor = new OnnxRuntimeExecutor();
    const form = model.adapter ? 'soft' : 'base';
    this.#soft = new SplitForward(this.#executor, model, form, (taps) => ({
      // Active units of each image.
      outputs: { logits: taps.logits, ...(gated && { active: sum(activity(taps, model, form), { axes: [1] }) }) },
    }));
    this.#hard = gated ? new SplitForward(this.#executor, model, 'hard', ({ logits }) => ({ outputs: { logits } })) : undefined;
  }

  /** @param measured whose tensors are read anew at every measurement */
  static async create(options: MeasureOptions, measured: MeasuredModel, data: ImageData, context: JobContext): Promise<TrainingMeasuring> {
    const measuring = new TrainingMeasuring(options, measured, context.breathe);
    const { model } = measured;
    try {
      const own = new Set(model.adapter?.angles ?? model.angles);
      const known = options.angles.some((angle) => own.has(angle));
      const images = [];
      for (const angle of options.angles) {
        const set = firstImages(data, options.images, angle);
        const prepare = (forward: SplitForward) => forward.prepare(model, set, angle, context.breathe);
        images.push({
          soft: await prepare(measuring.#soft),
          hard: measuring.#hard && (await prepare(measuring.#hard)),
          own: own.has(angle) || !known,
        });
      }
      measuring.#images = images;
      return measuring;
    } catch (error) {
      measuring[Symbol.dispose]();
      throw error;
    }
  }

  async take(temperature: number | undefined): Promise<number[]> {
    const { model, temperatures } = this.#measured;
    const now = model.adapter ? { ...model, adapter: { ...model.adapter, temperature: temperatures(temperature) } } : model;
    const units = model.widths.slice(1, -1).reduce((a, b) => a + b, 0);
    const [accuracies, hardened]: number[][] = [[], []];
    /** Over the angles of the mode. */
    const ofMode = { angles: 0, gap: 0, active: 0, places: 0 };
    for (const { soft, hard, own } of this.#images) {
      const one = await this.#score(this.#soft, now, soft);
      accuracies.push(one.accuracy);
      if (!this.#hard || !hard) continue;
      const other = await this.#score(this.#hard, now, hard);
      hardened.push(other.accuracy);
      if (!own) continue;
      ofMode.angles += 1;
      ofMode.gap += one.accuracy - other.accuracy;
      ofMode.active += one.active;
      ofMode.places += soft.set.count * units;
    }
    if (!this.#hard) return accuracies;
    return [...accuracies, ...hardened, ofMode.gap / ofMode.angles, (100 * ofMode.active) / ofMode.places];
  }

  async #score(forward: SplitForward, model: ClassifierModel, images: Prepared): Promise<{ accuracy: number; active: number }> {
    const classes = model.widths[model.widths.length - 1];
    const { labels, count } = images.set;
    let [right, active] = [0, 0];
    for (const { begin, end, results } of forward.run(model, images)) {
      for (let row = begin; row < end; row++) right += Number(answerOf(results.logits.data, row - begin, classes) === labels[row]);
      for (let row = 0; results.active && row < end - begin; row++) active += results.active.data[row];
      await this.#breathe();
    }
    return { accuracy: (100 * right) / count, active };
  }

  [Symbol.dispose](): void {
    this.#soft[Symbol.dispose]();
    this.#hard?.[Symbol.dispose]();
    this.#executor.dispose();
  }
}
