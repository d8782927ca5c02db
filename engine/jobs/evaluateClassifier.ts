/** Reads the test images, once, and says how many each given form of a classifier gets right at each angle. */
import { z } from 'zod';
import { Random } from '../base/random.ts';
import { between, parseWith, tensors, wholeBetween } from '../base/schema.ts';
import type { JobKind } from '../contract.ts';
import { OnnxRuntimeExecutor } from '../execute/onnxruntime.ts';
import type { Feeds } from '../execute/executor.ts';
import { program } from '../graph/program.ts';
import { adapterOf } from '../models/adapters/index.ts';
import type { Tensors } from '../models/parameters.ts';
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
    let count = 0;
    for (const [which, angle] of angles.entries()) {
      const tables = digitTables('test', [angle], new Random(0), data);
      count = tables.count;
      const { inputs, outputs } = classifierEvaluation(
        { widths },
        count,
        forms.map(({ adapter, form, temperature }) => ({ form, temperature, ...(adapter !== undefined && { adapter: adapterOf(adapter) }) })),
      );
      const counts = new Map([...outputs].filter(([name]) => name.startsWith('correct.')));
      const executable = executor.compile(program(Object.fromEntries(counts)));
      const feeds: Record<string, Feeds[string]> = {
        images: { data: new Float32Array(tables.images), shape: [count, widths[0]] },
        labels: { data: new Int32Array(tables.labels), shape: [count] },
      };
      const offer = (prefix: string, own: Tensors) => {
        for (const [name, values] of Object.entries(own)) {
          const input = inputs.get(prefix + name);
          if (input) feeds[prefix + name] = { data: values, shape: input.shape as number[] };
        }
      };
      offer('', base);
      forms.forEach(({ parameters }, i) => offer(`form${i}.`, parameters));
      const right = forms.map(() => 0);
      for (let begin = 0; begin < count; begin += CHUNK) {
        context.progress({ stage: `test images at ${angle}°`, done: which * count + begin, total: angles.length * count });
        const index = Int32Array.from({ length: Math.min(CHUNK, count - begin) }, (_entry, row) => begin + row);
        const results = executable.run({ ...feeds, index: { data: index, shape: [index.length] } });
        forms.forEach((_form, i) => (right[i] += results[`correct.${i}`].data[0]));
        await context.breathe();
      }
      forms.forEach(({ name }, i) => correct[name].push(right[i]));
      executable.dispose();
    }
    executor.dispose();
    context.progress({ stage: 'test images, done', done: 1, total: 1, remaining: 0 });
    return { count, correct };
  },
};
