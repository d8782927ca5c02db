/** What classifiers answer: how many images they get right, and with which loss. Counted in double precision from the logits. */
import { UserError } from '../base/errors.ts';
import type { Findings } from '../base/findings.ts';
import type { ClassifierModel } from '../models/classifier.ts';
import type { ImageSet, Part } from '../tasks/dataReference.ts';
import type { AnalysisContext } from './analysis.ts';
import { sameFoundation } from './foundations.ts';
import { Forwards, Passes, requireFit, type Form, type Outputs, type Taps } from './forward.ts';

export interface Score {
  readonly count: number;
  readonly right: number;
  /** −log p(label) in nats, summed over the images. */
  readonly loss: number;
}

/** A model in a form, to be scored. */
export interface Contestant {
  readonly label: string;
  readonly model: ClassifierModel;
  readonly form: Form;
}

export const ACCURACY = 'right answers of all images, an answer being the class with the largest logit';

export const readLogits = ({ logits }: Taps): Outputs => ({ outputs: { logits } });

/** The first class with the largest logit; −1, which is never right, where a logit is not a number. @param logits [rows, classes] */
export function answerOf(logits: ArrayLike<number>, row: number, classes: number): number {
  let best = 0;
  for (let c = 0; c < classes; c++) {
    const logit = logits[row * classes + c];
    if (Number.isNaN(logit)) return -1;
    if (logit > logits[row * classes + best]) best = c;
  }
  return best;
}

/** log Σ exp of a row minus the label's logit. */
function lossOf(logits: ArrayLike<number>, row: number, classes: number, label: number): number {
  const begin = row * classes;
  let largest = -Infinity;
  for (let c = 0; c < classes; c++) largest = Math.max(largest, logits[begin + c]);
  let total = 0;
  for (let c = 0; c < classes; c++) total += Math.exp(logits[begin + c] - largest);
  return largest + Math.log(total) - logits[begin + label];
}

/** Counts over chunks of logits. */
export class Tally {
  count = 0;
  right = 0;
  loss = 0;

  /** @param logits of the images [begin, end) of the set, [end − begin, classes] */
  add(logits: ArrayLike<number>, { labels }: ImageSet, begin: number, end: number): void {
    const classes = logits.length / (end - begin);
    for (let row = 0; row < end - begin; row++) {
      const label = labels[begin + row];
      if (answerOf(logits, row, classes) === label) this.right += 1;
      this.loss += lossOf(logits, row, classes, label);
    }
    this.count += end - begin;
  }
}

/** Percent right. */
export const percent = ({ right, count }: Pick<Score, 'right' | 'count'>): number => (100 * right) / count;

/** In points: how much more of the images one gets right than the other. */
export const pointsAbove = (one: Score, other: Score): number =>
  one.count === other.count ? (100 * (one.right - other.right)) / one.count : percent(one) - percent(other);

/**
 * Scores every contestant at every angle: [contestant][angle]. Angle by angle, since turning images costs more than running them; a
 * foundation that several stand on runs once.
 * @param id of the analysis, for progress and errors @param passes of an analysis that does more; one for each contestant and angle
 */
export async function scoreAll(
  id: string,
  contestants: readonly Contestant[],
  { part, angles }: { part: Part; angles: readonly number[] },
  context: AnalysisContext,
  passes = new Passes(context, contestants.length * angles.length),
): Promise<Score[][]> {
  const first = contestants.map(({ model, form }, i) =>
    form === 'base' ? contestants.findIndex((other) => other.form === 'base' && sameFoundation(other.model, model)) : i,
  );
  const scores: Score[][] = contestants.map(() => []);
  using forwards = new Forwards(context.executor, readLogits);
  for (const angle of angles) {
    const sets = new ImageSets(id, context, part, angle);
    for (const [i, { label, model, form }] of contestants.entries()) {
      const set = sets.for(label, model);
      if (first[i] < i) {
        passes.skip();
        continue;
      }
      const forward = forwards.of(model, form);
      const tally = new Tally();
      await passes.over(`${id}: ${label}, ${form}, ${angle}°`, set, (begin, end) =>
        tally.add(forward.run(set, begin, end, angle).logits.data, set, begin, end),
      );
      scores[i].push(tally);
    }
  }
  return first.map((i) => scores[i]);
}

/** The images of one part and angle that each model may be judged by: what is held out depends on the model's seed. */
export class ImageSets {
  readonly #id: string;
  readonly #context: AnalysisContext;
  readonly #part: Part;
  readonly #angle: number;
  readonly #bySeed = new Map<number, ImageSet>();

  constructor(id: string, context: AnalysisContext, part: Part, angle: number) {
    this.#id = id;
    this.#context = context;
    this.#part = part;
    this.#angle = angle;
  }

  /** @throws UserError where the images do not fit the model */
  for(label: string, model: ClassifierModel): ImageSet {
    const shown = model.rows === 'all' || (model.adapter?.rows ?? 'remaining') === 'all';
    if (this.#part === 'heldOut' && shown)
      throw new UserError(`${this.#id}: ${label}`, 'must have been trained with rows "remaining" to be judged by held-out images', 'all');
    const seed = this.#part === 'heldOut' ? model.seed : 0;
    const set = this.#bySeed.get(seed) ?? this.#context.images(this.#part, this.#angle, seed);
    this.#bySeed.set(seed, set);
    requireFit(this.#id, label, model, set);
    return set;
  }
}

/** The first images of a set, or all if there are fewer. */
export function firstOf(set: ImageSet, count: number): ImageSet {
  return set.count <= count
    ? set
    : { ...set, count, images: set.images.subarray(0, count * set.height * set.width), labels: set.labels.subarray(0, count) };
}

/** What every accuracy rests on. @param count images of one angle */
export function ground(
  { executor }: AnalysisContext,
  { part, count, angles }: { part: Part; count: number; angles: readonly number[] },
): Findings['facts'] {
  return { device: executor.name, part, images: count, angles: angles.map((angle) => `${angle}°`).join(', ') };
}
