/**
 * Writes to every hidden unit of a classifier, one at a time, and what they do to its margin and its answers. Which writes mean what is for
 * the analyses to say.
 *
 * The margin of an image is the logit of its label minus the mean of the other logits: linear in the logits, so that effects of units of the
 * last hidden layer add up, where probabilities would saturate (methods of activation patching: Heimersheim and Nanda 2024).
 */
import { UserError } from '../base/errors.ts';
import type { Executor } from '../execute/executor.ts';
import { UnitSweep, type UnitWrite, type WholeRun, type Written } from '../interventions/unitSweep.ts';
import type { ClassifierModel } from '../models/classifier.ts';
import type { ImageSet } from '../tasks/dataReference.ts';
import type { AnalysisContext } from './analysis.ts';
import { CHUNK, feedsOf, ROWS, rowFeeds, tapped, type Form } from './forward.ts';
import { answerOf } from './scoring.ts';
import { layersOf } from './units.ts';

export const MARGIN = 'margin: logit of the label minus the mean of the other logits';
export const STATE =
  '1 where at least one write was run (measured), 0 where every one is proved to change nothing, which is then not run (proved-zero)';

/** `output`: what the next layer reads of a unit. `decision`: the factor its gate multiplies with. */
export type UnitSite = 'output' | 'decision';

/** The margin of a row of logits, in double precision. */
export function marginOf(logits: ArrayLike<number>, row: number, classes: number, label: number): number {
  let others = 0;
  for (let c = 0; c < classes; c++) if (c !== label) others += logits[row * classes + c];
  return logits[row * classes + label] - others / (classes - 1);
}

/** A whole run over some images of a set, and what the model makes of them. */
export interface Judged {
  readonly run: WholeRun;
  readonly labels: Int32Array;
  readonly margins: Float64Array;
  readonly answers: Int32Array;
}

/** The sweep over all hidden units of a model in a form. */
export class ClassifierUnits implements Disposable {
  readonly #model: ClassifierModel;
  readonly #classes: number;
  readonly #sweep: UnitSweep;

  /** @throws UserError naming the place for a site the model does not have, or for a model that has no margin */
  constructor(executor: Executor, { place, model, form, site }: { place: string; model: ClassifierModel; form: Form; site: UnitSite }) {
    this.#model = model;
    this.#classes = model.widths[model.widths.length - 1];
    if (this.#classes < 2) throw new UserError(`${place}: classes`, 'must be at least two, for a margin', this.#classes);
    const { logits, layers } = tapped(model, form);
    const sites = layers.map(({ out, decision }) => {
      const value = site === 'output' ? out : decision;
      if (!value) throw new UserError(`${place}: site`, 'must be "output", since nothing here has gates', site);
      return value;
    });
    this.#sweep = new UnitSweep(executor, { output: logits, sites, rows: ROWS }, feedsOf(model, form));
  }

  judge(set: ImageSet, begin: number, end: number, angle: number): Judged {
    const run = this.#sweep.whole(rowFeeds(this.#model, set, begin, end, angle));
    const labels = set.labels.subarray(begin, end);
    return {
      run,
      labels,
      margins: Float64Array.from(labels, (label, row) => marginOf(run.output, row, this.#classes, label)),
      answers: Int32Array.from(labels, (_label, row) => answerOf(run.output, row, this.#classes)),
    };
  }

  /** Writes to every unit in every row, and counts what that does. @param breathe called after every run */
  async count(into: UnitEffects, judged: Judged, write: UnitWrite, breathe: AnalysisContext['breathe']): Promise<void> {
    for (const [layer, { begin }] of layersOf(this.#model).slice(0, -1).entries())
      for (const written of this.#sweep.run(judged.run, layer, write)) {
        into.add(begin, written, judged, this.#classes);
        await breathe();
      }
    into.count += judged.labels.length;
  }

  [Symbol.dispose](): void {
    this.#sweep[Symbol.dispose]();
  }
}

/** What one kind of write does, by unit: change = written − clean, summed over the images. */
export class UnitEffects {
  /** Images. */
  count = 0;
  readonly #sums: Float64Array;
  readonly #squares: Float64Array;
  readonly #flips: Int32Array;
  readonly #right: Int32Array;
  readonly #run: Int32Array;

  constructor(units: number) {
    this.#sums = new Float64Array(units);
    this.#squares = new Float64Array(units);
    this.#flips = new Int32Array(units);
    this.#right = new Int32Array(units);
    this.#run = new Int32Array(units);
  }

  /** @param first index of the layer's first unit among all */
  add(first: number, { units, rows, output }: Written, { labels, margins, answers }: Judged, classes: number): void {
    for (let i = 0; i < units.length; i++) {
      const unit = first + units[i];
      const row = rows[i];
      const change = marginOf(output, i, classes, labels[row]) - margins[row];
      const answer = answerOf(output, i, classes);
      this.#sums[unit] += change;
      this.#squares[unit] += change * change;
      this.#flips[unit] += Number(answer !== answers[row]);
      this.#right[unit] += Number(answer === labels[row]) - Number(answers[row] === labels[row]);
      this.#run[unit] += 1;
    }
  }

  /** Mean change of the margin, in logits. What was not run counts as the 0 it is. */
  get margin(): Float64Array {
    return this.#sums.map((sum) => sum / this.count);
  }

  /** Standard error of {@link margin} over the images. */
  get error(): Float64Array {
    const { count } = this;
    return this.#squares.map((squares, unit) => Math.sqrt(Math.max(0, squares - this.#sums[unit] ** 2 / count) / (count - 1) / count));
  }

  /** Share of images whose answer is another. */
  get flips(): Float64Array {
    return Float64Array.from(this.#flips, (flips) => flips / this.count);
  }

  /** Change of accuracy, in points. */
  get accuracy(): Float64Array {
    return Float64Array.from(this.#right, (right) => (100 * right) / this.count);
  }

  /** By {@link STATE}. */
  get state(): Int32Array {
    return this.#run.map((run) => Number(run > 0));
  }
}

/** [0, count) in the chunks that are run at a time. */
export function* chunksOf(count: number): Generator<{ begin: number; end: number }> {
  for (let begin = 0; begin < count; begin += CHUNK) yield { begin, end: Math.min(count, begin + CHUNK) };
}

/** How many answers are right. */
export const rightIn = ({ answers, labels }: Judged): number =>
  answers.reduce((right, answer, row) => right + Number(answer === labels[row]), 0);
