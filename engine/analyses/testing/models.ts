/** Small classifiers and images for tests: three classes, 6 × 6 pixels, units of every category, more than one chunk of rows. */
import { Random } from '../../base/random.ts';
import { adapterOf } from '../../models/adapters/index.ts';
import { classifierModel, type ClassifierModel } from '../../models/classifier.ts';
import { mlpParameters } from '../../models/mlp.ts';
import { initialise, type Tensors } from '../../models/parameters.ts';
import type { ImageSet, Part } from '../../tasks/dataReference.ts';
import type { AnalysisContext, LabelledModel } from '../analysis.ts';
import type { Executor } from '../../execute/executor.ts';

const SIDE = 6;
export const WIDTHS: readonly number[] = [SIDE * SIDE, 8, 6, 3];
const COUNTS: Readonly<Record<Part, number>> = { test: 620, heldOut: 510, train: 700 };

export interface SmallModel {
  readonly adapter?: string;
  readonly seed?: number;
  /** Draws other numbers for the adapter. */
  readonly variant?: number;
  readonly angles?: readonly number[];
  readonly modeAngles?: readonly number[];
  readonly temperature?: readonly number[];
  readonly sparsity?: number;
  readonly rows?: 'all' | 'remaining';
}

/** A model whose parameters are drawn: far enough from where they begin that every part of it counts. */
export function smallModel({
  adapter: id,
  seed = 1,
  variant = 0,
  angles = [0, 45],
  modeAngles = [45],
  temperature = [0.2, 0.1],
  sparsity = 0,
  rows = 'remaining',
}: SmallModel = {}): ClassifierModel {
  const random = new Random(seed).fork('small model');
  const base = initialise(mlpParameters({ widths: WIDTHS }), random);
  for (const values of Object.values(base)) values.forEach((value, i) => (values[i] = 4 * value));
  // A grey image moves no unit of the first layer, so that what is drawn in it decides the answer.
  base['layers.0.bias'].forEach((_bias, unit, biases) => {
    biases[unit] = 0;
    for (let pixel = 0; pixel < WIDTHS[0]; pixel++) biases[unit] -= 0.5 * base['layers.0.weight'][pixel * WIDTHS[1] + unit];
  });
  // L0U6 never fires.
  base['layers.0.bias'][6] = -50;
  const foundation: ClassifierModel = { architecture: 'mlp', widths: [...WIDTHS], angles: [...angles], seed, rows, base };
  if (id === undefined) return classifierModel.parse(foundation);
  const adapter = adapterOf(id);
  const own = random.fork(id, variant);
  const begun = initialise(adapter.parameters({ widths: WIDTHS }, modeAngles.length), own);
  const parameters = adapter.trains === 'base' ? moved(base, 0.3, own) : moved(begun, 0.6, own);
  // L0U5 is reused as it is where there are gains, L0U7 silenced by the mode where there are thresholds.
  if (parameters['layers.0.gate.gain']) parameters['layers.0.gate.gain'][5] = 1;
  if (parameters['layers.0.gate.threshold']) parameters['layers.0.gate.threshold'][7] = 100;
  return classifierModel.parse({
    ...foundation,
    adapter: { id, angles: [...modeAngles], seed, rows, sparsity, temperature: adapter.gated ? [...temperature] : [], parameters },
  });
}

function moved(tensors: Tensors, by: number, random: Random): Tensors {
  return Object.fromEntries(
    Object.entries(tensors).map(([name, values]) => {
      const noise = new Float32Array(values.length);
      random.fork('moved', name).fillUniform(noise, -by, by);
      return [name, values.map((value, i) => value + noise[i])];
    }),
  );
}

export const labelled = (label: string, model: SmallModel): LabelledModel => ({ label, model: smallModel(model) });

/** Images whose pixels are half the image's own and half the angle's, so that angles are alike but not the same. */
export function smallImages(part: Part, angle: number, seed = 0): ImageSet {
  const random = new Random(7).fork('small images', part, ...(part === 'heldOut' ? [seed] : []));
  const count = COUNTS[part];
  const labels = Int32Array.from({ length: count }, () => random.integer(3));
  const [own, turned] = [new Float32Array(count * SIDE * SIDE), new Float32Array(count * SIDE * SIDE)];
  random.fork('pixels').fillUniform(own, 0, 1);
  random.fork('turned', angle).fillUniform(turned, 0, 1);
  return {
    count,
    height: SIDE,
    width: SIDE,
    classes: ['ring', 'stroke', 'cross'],
    images: own.map((pixel, i) => (pixel + turned[i]) / 2),
    labels,
  };
}

/** Nobody listens and nothing is cancelled, unless said otherwise. */
export const analysisContext = (executor: Executor, more: Partial<AnalysisContext> = {}): AnalysisContext => ({
  executor,
  signal: new AbortController().signal,
  progress: () => undefined,
  breathe: async () => undefined,
  images: smallImages,
  ...more,
});
