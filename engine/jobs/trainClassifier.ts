/** Trains a classifier of images in one or several modes: a foundation, or an adapter on a frozen one. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { UserError } from '../base/errors.ts';
import { Random } from '../base/random.ts';
import { between, parseWith, wholeBetween } from '../base/schema.ts';
import type { JobContext, JobKind } from '../contract.ts';
import { SHARDS } from '../execute/stepRunner.ts';
import { optimiserSchema } from '../execute/optimisers/spec.ts';
import { StepRunner, type Table } from '../execute/stepRunner.ts';
import type { Feeds } from '../execute/executor.ts';
import { temperatureAt } from '../gates/anneal.ts';
import { adapterId } from '../models/adapters/adapterId.ts';
import { adapterOf } from '../models/adapters/index.ts';
import { checkClassifier, classifierModel, modeAngles, trainingRows, type ClassifierModel } from '../models/classifier.ts';
import { countParameters, initialise, type ParameterSpec, type Tensors } from '../models/parameters.ts';
import { dataReference } from '../tasks/dataReference.ts';
import { loadImages, requireDigest, type ImageData } from '../tasks/imageData.ts';
import { imageTables, rowsOf, type ImageTables } from '../tasks/imageTables.ts';
import { measuredSeries, measureOptions, TrainingMeasuring } from './measuring.ts';
import { tabulate } from './tabulate.ts';
import { classifierStep, type Classifier, type ClassifierStep, type StepOptions } from '../training/classifierStep.ts';
import { train, type TrainingPlan } from '../training/loop.ts';
import { firstNonFinite } from '../training/nonFinite.ts';

const temperature = between(1e-6, 1e6);

/** What a run is called. */
export const stageName = z
  .string('must be a text')
  .min(1, 'must not be empty')
  .max(200, 'must be at most 200 characters')
  .regex(/^\P{Cc}*$/u, 'must hold no control characters');

export const trainOptions = z.strictObject({
  stage: stageName.default('training').meta({ description: 'what the run is called; no number depends on it' }),
  data: dataReference,
  angles: modeAngles
    .default([0])
    .meta({ description: 'angles the images are turned by; with several, each image gets one of them', unit: '°' }),
  rows: trainingRows
    .default('all')
    .meta({ description: 'training images to use; "remaining" leaves out those that the foundation\'s seed holds out for choosing' }),
  epochs: wholeBetween(1, 1000).default(2).meta({ description: 'how often every image is seen' }),
  batch: wholeBetween(1, 65_536).default(128).meta({ description: 'images in a step' }),
  optimiser: optimiserSchema
    .refine(({ learningRate }) => learningRate > 0, { path: ['learningRate'], message: 'must be above 0' })
    .meta({ description: 'how gradients move the parameters' }),
  seed: wholeBetween(0, Number.MAX_SAFE_INTEGER).meta({ description: 'of the first weights, the order of images and their angles' }),
  checkpointSeconds: between(0, 86_400)
    .optional()
    .meta({ description: 'seconds between checkpoints: what a crash costs at most', unit: 's' }),
  hidden: z
    .array(wholeBetween(1, 1 << 16), 'must be a list of widths')
    .max(64, 'must be at most 64 widths')
    .optional()
    .meta({ description: 'widths of the hidden layers of a foundation (256,128 unless given)' }),
  adapter: adapterId.optional().meta({ description: 'what is trained on the frozen base' }),
  base: classifierModel.optional(),
  temperature: z
    .strictObject(
      {
        kind: z.enum(['constant', 'geometric', 'linear'], 'must be "constant", "geometric" or "linear"').default('constant'),
        start: temperature.default(0.2).meta({ description: 'T of the gates at the first step' }),
        end: temperature.optional().meta({ description: 'T after the last step, with which the gates are then used' }),
        scale: z
          .array(temperature, 'must be a list of factors')
          .optional()
          .meta({ description: 'factors of T, one for each hidden layer (1 unless given)' }),
      },
      'must be an annealing: kind, start and end',
    )
    .refine(({ kind, end }) => kind === 'constant' || end !== undefined, {
      path: ['end'],
      message: 'must be given unless the kind is "constant"',
    })
    .prefault({})
    .meta({ description: 'how the temperature T of the gates runs from start to end' }),
  sparsity: between(0, 1e6).default(0).meta({ description: 'λ: weight of the mean openness of the gates, per layer' }),
  measure: measureOptions
    .optional()
    .meta({ description: 'what is measured on test images before, between and after the steps; absent: nothing' }),
});

export type TrainParameters = z.output<typeof trainOptions>;

/** One number for every step, or for every number of steps done, in units of its own. */
export interface Series {
  readonly unit: string;
  readonly values: Float32Array;
}

export interface TrainResult {
  readonly model: ClassifierModel;
  /** sha-256 of the tensors that were trained. */
  readonly digest: string;
  /** How many numbers were trained. */
  readonly count: number;
  /**
   * One number for every step: `loss`, the mean over the batch before each update, and `temperature`, where there are gates.
   *
   * One number more than there are steps, where `measure` asks for it: entry i is measured after i steps, NaN where nothing was. `accuracy 45°`
   * (%), for each angle, with gates soft at the temperature they have by then; and where there are gates `hard accuracy 45°` (%); `soft − hard`
   * (points), mean over those measured angles that the mode is for; `gates open` (%), units active of all hidden units and images of these
   * angles. Where no angle of the mode is measured, these two are over all that are.
   */
  readonly series: Readonly<Record<string, Series>>;
  /** sha-256 over the frozen parameters as they lie in memory afterwards: that of the base's tensors, unless something wrote to them. */
  readonly frozenDigest: string;
}

/** sha-256 over tensors in the order of their names. */
export function digestTensors(values: Tensors): string {
  const hash = createHash('sha256');
  for (const name of Object.keys(values).sort()) hash.update(name).update(new Uint8Array(values[name].slice().buffer));
  return hash.digest('hex');
}

export const trainClassifier: JobKind<TrainParameters, TrainResult> = {
  id: 'trainClassifier',
  threads: SHARDS,
  version: 1,
  keeps: 'training',
  neutral: ['checkpointSeconds', 'stage'],
  parse(given) {
    const parsed = parseWith(trainOptions, 'trainClassifier', given);
    checkCombination(parsed);
    return canonical(parsed);
  },
  async run(parameters, context) {
    const { seed, stage, angles, batch, optimiser } = parameters;
    const random = new Random(seed).fork(parameters.adapter ?? 'foundation');
    context.progress({ stage: `${stage}: images`, done: 0, total: 1 });
    const data = requireDigest(await loadImages(parameters.data.source), parameters.data);
    const widths = widthsFor(parameters, data);
    const adapter = parameters.adapter === undefined ? undefined : adapterOf(parameters.adapter);
    const tables = imageTables(data, 'train', angles, random.fork('angles'));
    const classifier: Classifier = { config: { widths }, ...(adapter && { adapter }), modes: angles.length };
    const options: StepOptions = { sparsity: parameters.sparsity, temperatureScale: parameters.temperature.scale ?? [] };
    const step = classifierStep(classifier, tables.count, options);
    const base = parameters.base?.base ?? {};
    const frozen = step.frozen.length > 0 ? base : {};
    const fed = tablesOf(tables, widths[0], adapter?.contextual ?? false);
    const tabulated = await tabulate(
      step.prefix,
      { count: tables.count, data: fed, frozen, key: `${tables.key} ${digestTensors(frozen)}` },
      context,
    );
    Object.assign(fed, tabulated);

    const runner = await StepRunner.create({
      program: step.program,
      trained: step.trained,
      frozen: step.frozen,
      tables: fed,
      scalars: ['temperature'],
      optimiser,
      rows: batch,
      threads: context.threads,
    });
    try {
      const begun = adapter?.trains === 'base' ? base : initialise(step.trained, random);
      for (const [name, values] of Object.entries({ ...frozen, ...begun })) runner.parameter(name).set(values);
      const { start } = parameters.temperature;
      runner.setScalar('temperature', start);
      // The foundation's: what it was not shown is what its adapters are not shown either.
      const rows = rowsOf(data, parameters.rows, new Random(parameters.base?.seed ?? seed).fork('heldOut'));
      const plan = planOf(parameters, rows, random);
      using measuring = await measuringOf(parameters, widths, step.trained, runner, data, context);
      const { losses, measured } = await train(runner, { ...plan, ...(measuring && { measuring }) }, context, (rowNumbers, at = start) => {
        // The whole computation, not the one that reads tables: what went wrong may lie before them.
        const { program } = classifierStep(classifier, tables.count, { ...options, cached: false });
        return firstNonFinite(program, feedsOf(step, fed, runner, rowNumbers, at), ['images']);
      });
      const copy = (specs: readonly ParameterSpec[]) => Object.fromEntries(specs.map(({ name }) => [name, runner.parameter(name).slice()]));
      const trained = copy(step.trained);
      return {
        model: modelOf(parameters, widths, trained),
        digest: digestTensors(trained),
        count: countParameters(step.trained),
        series: {
          loss: { unit: 'nats', values: losses },
          ...(adapter?.gated && {
            temperature: { unit: '', values: losses.map((_loss, i) => temperatureAt(plan.temperature!, i, losses.length)) },
          }),
          ...(parameters.measure &&
            Object.fromEntries(
              Object.entries(measuredSeries(parameters.measure, adapter?.gated ?? false)).map(([name, unit]) => [
                name,
                { unit, values: measured[name] },
              ]),
            )),
        },
        frozenDigest: digestTensors(copy(step.frozen)),
      };
    } finally {
      await runner.dispose();
    }
  },
};

/** What no single field can say. */
function checkCombination({ adapter, base, hidden, rows, temperature, sparsity }: TrainParameters): void {
  const refuse = (field: string, rule: string, value: unknown) => {
    throw new UserError(`trainClassifier: ${field}`, rule, value);
  };
  if ((base !== undefined) !== (adapter !== undefined))
    refuse('base', 'must be given with an adapter, and only then', base === undefined ? undefined : 'a model');
  const gated = adapter !== undefined && adapterOf(adapter).gated;
  if (sparsity > 0 && !gated)
    refuse('sparsity', `must be 0 where there are no gates${adapter === undefined ? '' : ` (${adapter})`}`, sparsity);
  if (!gated)
    for (const [name, value] of Object.entries(temperature))
      if (value !== undefined && value !== NO_GATES[name as keyof typeof NO_GATES])
        refuse(`temperature.${name}`, `must not be given where there are no gates${adapter === undefined ? '' : ` (${adapter})`}`, value);
  if (temperature.kind === 'constant' && temperature.end !== undefined)
    refuse('temperature.end', 'must not be given unless the kind is "geometric" or "linear"', temperature.end);
  if (!base) return;
  if (hidden) refuse('hidden', 'must not be given with a base, which has its own', hidden);
  if (base.adapter) refuse('base', 'must be a foundation', `a model with ${base.adapter.id}`);
  if (rows === 'remaining' && base.rows === 'all') refuse('rows', 'must be "all": the base was shown every image', rows);
  checkClassifier('trainClassifier: base', base);
  const layers = base.widths.length - 2;
  if (adapterOf(adapter!).parameters(base).length === 0)
    refuse('adapter', 'must have something to train: the base has no hidden layer', adapter);
  if (temperature.scale && temperature.scale.length !== layers)
    refuse('temperature.scale', `must be ${layers} factors, one for each hidden layer`, temperature.scale);
}

/** What stands where nothing reads it: the schema's own. */
const NO_GATES = { kind: 'constant', start: 0.2 } as const;

/** The same request in the one form that its key is made of. */
function canonical(parameters: TrainParameters): TrainParameters {
  const { scale, ...temperature } = parameters.temperature;
  return {
    ...parameters,
    temperature: { ...temperature, ...(scale?.some((factor) => factor !== 1) && { scale }) },
    ...(!parameters.base && { hidden: parameters.hidden ?? [256, 128] }),
  };
}

/** Pixels, hidden widths, classes; those of a base must be the images'. */
function widthsFor({ base, hidden = [] }: TrainParameters, { height, width, classes, name }: ImageData): number[] {
  const pixels = height * width;
  if (!base) return [pixels, ...hidden, classes.length];
  if (base.widths[0] !== pixels || base.widths[base.widths.length - 1] < classes.length)
    throw new UserError(
      'trainClassifier: base',
      `must take images of ${height} × ${width} in ${classes.length} classes, as ${name} has`,
      base.widths,
    );
  return [...base.widths];
}

function planOf(parameters: TrainParameters, rows: Int32Array, random: Random): TrainingPlan {
  const { stage, epochs, batch, optimiser, checkpointSeconds } = parameters;
  const { kind, start, end } = parameters.temperature;
  return {
    stage,
    epochs,
    batch,
    learningRate: optimiser.learningRate,
    // Nothing else reads it.
    ...(parameters.adapter !== undefined &&
      adapterOf(parameters.adapter).gated && { temperature: { kind, start, ...(end !== undefined && { end }) } }),
    rows,
    random,
    ...(checkpointSeconds !== undefined && { checkpointSeconds }),
  };
}

function modelOf(parameters: TrainParameters, widths: number[], trained: Tensors): ClassifierModel {
  const { base, adapter: id, angles, seed, rows, sparsity } = parameters;
  if (!base || id === undefined) return { architecture: 'mlp', widths, angles, seed, rows, base: { ...trained } };
  const { kind, start, end } = parameters.temperature;
  const temperature = temperaturesAt(parameters, widths, kind === 'constant' ? start : end!);
  return { ...base, adapter: { id, angles, seed, rows, sparsity, temperature, parameters: { ...trained } } };
}

/** Of each gated layer, as the graph has them: in single precision. */
function temperaturesAt({ adapter, temperature: { scale = [] } }: TrainParameters, widths: readonly number[], annealed: number): number[] {
  if (adapter === undefined || !adapterOf(adapter).gated) return [];
  return widths.slice(1, -1).map((_width, layer) => Math.fround(Math.fround(annealed) * Math.fround(scale[layer] ?? 1)));
}

/** What looks at the parameters where they lie; undefined where nothing is to be measured. */
async function measuringOf(
  parameters: TrainParameters,
  widths: number[],
  trained: readonly ParameterSpec[],
  runner: StepRunner,
  data: ImageData,
  context: JobContext,
): Promise<TrainingMeasuring | undefined> {
  if (!parameters.measure) return undefined;
  const lying = Object.fromEntries(trained.map(({ name }) => [name, runner.parameter(name)]));
  const temperatures = (annealed = parameters.temperature.start) => temperaturesAt(parameters, widths, annealed);
  return TrainingMeasuring.create(parameters.measure, { model: modelOf(parameters, widths, lying), temperatures }, data, context);
}

function tablesOf({ count, images, labels, modes }: ImageTables, width: number, contextual: boolean): Record<string, Table> {
  return {
    images: { dtype: 'float32', shape: [count, width], buffer: images },
    labels: { dtype: 'int32', shape: [count], buffer: labels },
    ...(contextual && { modes: { dtype: 'int32' as const, shape: [count], buffer: modes } }),
  };
}

function feedsOf(
  step: ClassifierStep,
  tables: Readonly<Record<string, Table>>,
  runner: StepRunner,
  rows: Int32Array,
  temperature: number,
): Feeds {
  const feeds: Record<string, Feeds[string]> = {
    index: { data: rows, shape: [rows.length] },
    temperature: { data: Float32Array.of(temperature), shape: [] },
  };
  for (const [name, { dtype, shape, buffer }] of Object.entries(tables))
    feeds[name] = { data: dtype === 'float32' ? new Float32Array(buffer) : new Int32Array(buffer), shape };
  for (const { name, shape } of [...step.trained, ...step.frozen]) feeds[name] = { data: runner.parameter(name), shape };
  return feeds;
}
