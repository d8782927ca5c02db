/**
 * Says how many images each given form of a classifier gets right at each angle: of the test images, read once at the end, or of the training
 * images that were set apart because something is to be chosen.
 */
import { z } from 'zod';
import { Random } from '../base/random.ts';
import { UserError } from '../base/errors.ts';
import { between, parseWith, tensors } from '../base/schema.ts';
import type { JobKind } from '../contract.ts';
import { OnnxRuntimeExecutor } from '../execute/onnxruntime.ts';
import type { Feeds } from '../execute/executor.ts';
import { program } from '../graph/program.ts';
import { adapterOf } from '../models/adapters/index.ts';
import { sizeOfParameter, type ParameterSpec, type Tensors } from '../models/parameters.ts';
import { mlpParameters } from '../models/mlp.ts';
import { digitTables, trainingRows } from '../tasks/digitTables.ts';
import { classifierEvaluation, splitParameters } from '../training/classifierStep.ts';
import { digitWidths } from './trainClassifier.ts';

const text = z.string('must be a text');

const schema = z.strictObject({
  widths: digitWidths,
  data: text.optional(),
  /** `heldOut`: the 5 000 training images that training with rows "remaining" and the same seed leaves out. */
  part: z.enum(['test', 'heldOut'], 'must be "test" or "heldOut"').default('test'),
  /** Which images are held out; not read for the test images. */
  seed: z.number().int('must be an integer').min(0, 'must be ≥ 0').max(Number.MAX_SAFE_INTEGER).default(0),
  angles: z.array(between(-360, 360), 'must be a list of angles').min(1, 'must be at least one angle'),
  base: tensors,
  /** What to evaluate; without an adapter, the base as it is. */
  forms: z
    .array(
      z.strictObject({
        name: text,
        adapter: text.optional(),
        parameters: tensors.default({}),
        form: z.enum(['soft', 'hard'], 'must be "soft" or "hard"').default('soft'),
        temperature: between(1e-6, 1e6).default(0.2),
      }),
      'must be a list of forms',
    )
    .min(1, 'must be at least one form'),
});

export type EvaluateParameters = z.output<typeof schema>;

export interface EvaluateResult {
  readonly count: number;
  /** Right answers by form's name, one for each angle. */
  readonly correct: Readonly<Record<string, readonly number[]>>;
}

/** Rows of one run: fixed, since the number of rows of a product may change its last bits. */
const CHUNK = 500;

export const evaluateClassifier: JobKind<EvaluateParameters, EvaluateResult> = {
  id: 'evaluateClassifier',
  parse(parameters) {
    const parsed = parseWith(schema, 'evaluateClassifier', parameters);
    const { widths, base, forms } = parsed;
    checkTensors('base', mlpParameters({ widths }), base);
    forms.forEach(({ name, adapter: id, form, parameters: own }, i) => {
      if (forms.findIndex((other) => other.name === name) < i)
        throw new UserError(`evaluateClassifier: forms.${i}.name`, 'must be a name of its own', name);
      const adapter = id === undefined ? undefined : adapterOf(id);
      if (form === 'hard' && !adapter?.gated)
        throw new UserError(`evaluateClassifier: forms.${i}.form`, 'must be "soft": nothing here has gates', form);
      checkTensors(`forms.${i}.parameters`, adapter ? splitParameters({ config: { widths }, adapter }).trained : [], own);
    });
    return parsed;
  },
  async run({ widths, data, part, seed, angles, base, forms }, context) {
    const executor = new OnnxRuntimeExecutor();
    const correct: Record<string, number[]> = Object.fromEntries(forms.map(({ name }) => [name, []]));
    const tablesAt = (angle: number) => digitTables(part === 'test' ? 'test' : 'train', [angle], new Random(0), data);
    const { count: stored } = tablesAt(angles[0]);
    const rows =
      part === 'test'
        ? Int32Array.from({ length: stored }, (_entry, row) => row)
        : trainingRows('heldOut', new Random(seed).fork('heldOut'), data);
    const count = rows.length;
    try {
      const { inputs, outputs } = classifierEvaluation(
        { widths },
        stored,
        forms.map(({ adapter, form, temperature }) => ({
          form,
          temperature,
          ...(adapter !== undefined && { adapter: adapterOf(adapter) }),
        })),
      );
      const counts = new Map([...outputs].filter(([name]) => name.startsWith('correct.')));
      const executable = executor.compile(program(Object.fromEntries(counts)));
      const parameters: Record<string, Feeds[string]> = {};
      const offer = (prefix: string, own: Tensors) => {
        for (const [name, values] of Object.entries(own)) {
          const input = inputs.get(prefix + name);
          if (input) parameters[prefix + name] = { data: values, shape: input.shape as number[] };
        }
      };
      offer('', base);
      forms.forEach((form, i) => offer(`form${i}.`, form.parameters));
      for (const [which, angle] of angles.entries()) {
        const tables = tablesAt(angle);
        const feeds: Record<string, Feeds[string]> = {
          ...parameters,
          images: { data: new Float32Array(tables.images), shape: [stored, widths[0]] },
          labels: { data: new Int32Array(tables.labels), shape: [stored] },
        };
        const right = forms.map(() => 0);
        for (let begin = 0; begin < count; begin += CHUNK) {
          context.progress({
            stage: `${part === 'test' ? 'test' : 'held-out'} images at ${angle}°`,
            done: which * count + begin,
            total: angles.length * count,
          });
          const index = rows.slice(begin, begin + CHUNK);
          const results = executable.run({ ...feeds, index: { data: index, shape: [index.length] } });
          forms.forEach((_form, i) => (right[i] += results[`correct.${i}`].data[0]));
          await context.breathe();
        }
        forms.forEach(({ name }, i) => correct[name].push(right[i]));
      }
    } finally {
      executor.dispose();
    }
    context.progress({
      stage: `${part === 'test' ? 'test' : 'held-out'} images, done`,
      done: angles.length * count,
      total: angles.length * count,
      remaining: 0,
    });
    return { count, correct };
  },
};

function checkTensors(place: string, specs: readonly ParameterSpec[], given: Tensors): void {
  for (const { name } of specs) if (!given[name]) throw new UserError(`evaluateClassifier: ${place}.${name}`, 'must be given', undefined);
  for (const [name, values] of Object.entries(given)) {
    const spec = specs.find((candidate) => candidate.name === name);
    if (!spec)
      throw new UserError(`evaluateClassifier: ${place}`, `must be of ${specs.map((each) => each.name).join(', ') || 'nothing'}`, name);
    if (values.length !== sizeOfParameter(spec))
      throw new UserError(`evaluateClassifier: ${place}.${name}`, `must hold ${sizeOfParameter(spec)} numbers`, values.length);
  }
}
