/** Reads the test images, once, and says how many each given form of a classifier gets right at each angle. */
import { z } from 'zod';
import { Random } from '../base/random.ts';
import { between, parseWith, tensors, wholeBetween } from '../base/schema.ts';
import type { JobKind } from '../contract.ts';
import { OnnxRuntimeExecutor } from '../execute/onnxruntime.ts';
import type { Feeds } from '../execute/executor.ts';
import { adapterOf } from '../models/adapters/index.ts';
import { digitTables } from '../tasks/digitTables.ts';
import { classifierEvaluation } from '../training/classifierStep.ts';

const schema = z.strictObject({
  widths: z.array(wholeBetween(1, 1 << 16)).default([784, 256, 128, 10]),
  data: z.string().optional(),
  angles: z.array(between(-360, 360)).min(1, 'must be at least one angle'),
  base: tensors,
  /** What to evaluate; without an adapter, the base as it is. */
  forms: z.array(
    z.strictObject({
      name: z.string(),
      adapter: z.string().optional(),
      parameters: tensors.default({}),
      form: z.enum(['soft', 'hard']).default('soft'),
      temperature: between(1e-6, 1e6).default(0.2),
    }),
  ),
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
  parse: (parameters) => parseWith(schema, 'evaluateClassifier', parameters),
  async run({ widths, data, angles, base, forms }, context) {
    const executor = new OnnxRuntimeExecutor();
    const correct: Record<string, number[]> = Object.fromEntries(forms.map(({ name }) => [name, []]));
    const total = angles.length * forms.length;
    let count = 0;
    for (const [which, angle] of angles.entries()) {
      const tables = digitTables('test', [angle], new Random(0), data);
      count = tables.count;
      for (const [i, { name, adapter, parameters, form, temperature }] of forms.entries()) {
        context.progress({ stage: `test images at ${angle}°`, done: which * forms.length + i, total });
        const classifier = { config: { widths }, ...(adapter !== undefined && { adapter: adapterOf(adapter) }) };
        const program = classifierEvaluation(classifier, count, form);
        const executable = executor.compile({ ...program, outputs: new Map([['correct', program.outputs.get('correct')!]]) });
        const feeds: Record<string, Feeds[string]> = {
          images: { data: new Float32Array(tables.images), shape: [count, widths[0]!] },
          labels: { data: new Int32Array(tables.labels), shape: [count] },
          temperature: { data: Float32Array.of(temperature), shape: [] },
        };
        for (const [key, value] of program.inputs) {
          const own = { ...base, ...parameters }[key];
          if (own) feeds[key] = { data: own, shape: value.shape as number[] };
        }
        let right = 0;
        for (let begin = 0; begin < count; begin += CHUNK) {
          const index = Int32Array.from({ length: Math.min(CHUNK, count - begin) }, (_entry, row) => begin + row);
          right += executable.run({ ...feeds, index: { data: index, shape: [index.length] } }).correct!.data[0]!;
          await context.breathe();
        }
        correct[name]!.push(right);
        executable.dispose();
      }
    }
    executor.dispose();
    context.progress({ stage: 'test images, done', done: total, total, remaining: 0 });
    return { count, correct };
  },
};
