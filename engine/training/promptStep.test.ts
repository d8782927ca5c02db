/** The step on prompts against a forward in plain loops and finite differences; what is frozen has no gradient. */
import { afterAll, expect, test } from 'vitest';
import { Random } from '../base/random.ts';
import { expectClose } from '../base/testing/closeTo.ts';
import { shared } from '../execute/sharedMemory.ts';
import { StepRunner } from '../execute/stepRunner.ts';
import { initialise } from '../models/parameters.ts';
import { slottedParameters, slottedTransformer } from '../models/slottedTransformer.ts';
import { plainTransformer } from '../models/testing/plainTransformer.ts';
import { policyTask, rolesOfPrompt } from '../tasks/policyRouting.ts';
import { alignmentPrompts } from '../tasks/policyCorpora.ts';
import { promptStep } from './promptStep.ts';

const task = policyTask({ topics: 5, high: 1, middle: 1, keys: 1, fillers: 2 });
const config = slottedTransformer({ vocabulary: task.vocabulary, slots: 'one', width: 8, heads: 2, mlp: 6 }, 'open');
const prompts = alignmentPrompts(task, 6, new Random(4));
const roles = rolesOfPrompt();
const step = promptStep(config, { count: 6, length: 8, roles }, (name) => name.includes('attn') || name === 'embed.W_E');
const weights = initialise(slottedParameters(config), new Random(5));
const buffer = (data: Int32Array) => shared(data).buffer as unknown as SharedArrayBuffer;
const runner = await StepRunner.create({
  program: step.program,
  trained: step.trained,
  frozen: step.frozen,
  tables: {
    tokens: { dtype: 'int32', shape: [6, 8], buffer: buffer(prompts.tokens) },
    labels: { dtype: 'int32', shape: [6], buffer: buffer(prompts.labels) },
  },
  scalars: [],
  optimiser: { kind: 'adamw', learningRate: 1e-3 },
  rows: 6,
  threads: 1,
});
afterAll(() => runner.dispose());
for (const [name, values] of Object.entries(weights)) runner.parameter(name).set(values);

/** Mean cross-entropy at the last position, in double precision. */
function plainLoss(): number {
  let total = 0;
  for (let row = 0; row < 6; row++) {
    const now = Object.fromEntries([...step.trained, ...step.frozen].map(({ name }) => [name, runner.parameter(name)]));
    const logits = plainTransformer(config, now, [...prompts.tokens.subarray(row * 8, row * 8 + 8)], [...roles]).logits[7];
    const largest = Math.max(...logits);
    total += largest + Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit - largest), 0)) - logits[prompts.labels[row]];
  }
  return total / 6;
}

test('its loss is the mean cross-entropy at the last position, whatever the order of rows', () => {
  expectClose([runner.evaluate(Int32Array.of(3, 1, 0, 5, 4, 2))], [plainLoss()], { relative: 1e-5, absolute: 0 }, 'loss');
});

test('its gradients are the slopes of the loss', () => {
  const rows = Int32Array.from({ length: 6 }, (_, i) => i);
  runner.evaluate(rows);
  const random = new Random(6);
  for (const { name } of step.trained) {
    const gradient = runner.gradient(name).map((entry) => entry / 6);
    // The largest, and some more.
    const largest = gradient.reduce((best, entry, i) => (Math.abs(entry) > Math.abs(gradient[best]) ? i : best), 0);
    for (const at of [largest, random.integer(gradient.length)]) {
      const values = runner.parameter(name);
      const before = values[at];
      const size = 1e-3;
      const [up, down] = [size, -size].map((change) => {
        values[at] = before + change;
        return { at: values[at], loss: plainLoss() };
      });
      values[at] = before;
      expectClose([gradient[at]], [(up.loss - down.loss) / (up.at - down.at)], { relative: 2e-3, absolute: 1e-5 }, `${name}[${at}]`);
    }
  }
  expect(() => runner.gradient('unembed.W_U')).toThrow('step: gradient must be of a trained parameter');
});
