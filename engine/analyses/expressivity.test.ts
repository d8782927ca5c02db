/** Gains by kind of foundation against counting in double precision, and the claim against each of its outcomes. */
import { afterAll, expect, test } from 'vitest';
import { EXACT, expectClose } from '../base/testing/closeTo.ts';
import type { Executor } from '../execute/executor.ts';
import { OnnxRuntimeExecutor } from '../execute/onnxruntime.ts';
import { expressivity } from './expressivity.ts';
import { analysisContext, labelled, smallImages } from './testing/models.ts';
import { rightOf } from './testing/reference.ts';

const executor = new OnnxRuntimeExecutor();
afterAll(() => executor.dispose());
const context = analysisContext(executor);
const options = { angle: 45, form: 'soft', part: 'test' } as const;

const foundations = [
  { seed: 1, angles: [0, 45] },
  { seed: 2, angles: [0] },
  { seed: 3, angles: [0] },
];
const ADAPTERS = ['dopamine', 'lora-r1', 'lora-r2'];
const models = foundations.flatMap((foundation) =>
  ADAPTERS.map((adapter) => labelled(`${adapter}, ${foundation.seed}`, { ...foundation, adapter })),
);

test('gains, relative gains and their means', async () => {
  const { measures, facts, axes } = await expressivity.run({ models, seed: 0, options }, context);
  const set = smallImages('test', 45);
  const gains = ADAPTERS.map((id) =>
    foundations.map(({ seed }) => {
      const { model } = models.find(({ label }) => label === `${id}, ${seed}`)!;
      return (100 * (rightOf(model, 'soft', set, 45) - rightOf(model, 'base', set, 45))) / 620;
    }),
  );
  expectClose(measures.gain.data, gains.flat(), EXACT, 'gain');
  const relative = gains.map((row) => row.map((value, i) => (gains[2][i] > 0 ? value / gains[2][i] : NaN)));
  expectClose(measures.relative.data, relative.flat(), { relative: 1e-12, absolute: 0 }, 'relative');
  const meanOf = (values: readonly number[]) => {
    const known = values.filter((value) => !Number.isNaN(value));
    return known.length === 0 ? NaN : known.reduce((a, b) => a + b, 0) / known.length;
  };
  expectClose(
    measures.meanGain.data,
    gains.flatMap((row) => [row[0], (row[1] + row[2]) / 2]),
    { relative: 1e-12, absolute: 1e-12 },
    'mean gain',
  );
  expectClose(
    measures.meanRelative.data,
    relative.flatMap((row) => [row[0], meanOf(row.slice(1))]),
    { relative: 1e-12, absolute: 0 },
    'mean relative gain',
  );
  expect(axes.foundation.values).toEqual(['0°, 45°, seed 1', '0°, seed 2', '0°, seed 3']);
  expect(facts).toMatchObject({ relativeTo: 'lora-r2', 'foundations, angle seen': 1, 'foundations, angle new': 2 });
});

/** Answers as told: every model's logits are made so that it gets a given number of the 620 images right. */
function scripted(right: (seed: number, adapter: string | undefined) => number): Executor {
  const seeds = new Map(foundations.map(({ seed, angles }) => [labelled('', { seed, angles }).model.base['layers.0.weight'][0], seed]));
  return {
    name: 'scripted',
    dispose: () => undefined,
    compile(program) {
      const adapter = program.inputs.has('layers.0.gate.threshold')
        ? 'dopamine'
        : program.inputs.has('layers.0.lora.A')
          ? 'lora'
          : undefined;
      let begin = 0;
      return {
        dispose: () => undefined,
        run(feeds) {
          const rows = feeds.images.shape[0];
          const { labels } = smallImages('test', 45);
          const enough = right(seeds.get(feeds['layers.0.weight'].data[0])!, adapter);
          const logits = new Float32Array(rows * 3);
          for (let row = 0; row < rows; row++) logits[row * 3 + ((labels[begin + row] + (begin + row < enough ? 0 : 1)) % 3)] = 1;
          begin = (begin + rows) % 620;
          return { logits: { data: logits, shape: [rows, 3] } };
        },
      };
    },
  };
}

test.each([
  ['holds', { 1: 60, 2: 40, 3: 59 }],
  ['in sign only', { 1: 60, 2: 10, 3: 61 }],
  ['does not hold', { 1: 60, 2: 60, 3: 61 }],
] as const)('the claim of the paper: %s', async (status, gained) => {
  const two = models.filter(({ model }) => model.adapter!.id !== 'lora-r1');
  // LoRA gains 100 images everywhere, the mode what the table says.
  const answers = scripted((seed, adapter) => 400 + (adapter === 'lora' ? 100 : adapter ? gained[seed as 1 | 2 | 3] : 0));
  const { claims, measures } = await expressivity.run({ models: two, seed: 0, options }, analysisContext(answers));
  expect(claims).toHaveLength(1);
  expect(claims![0].status).toBe(status);
  expectClose(
    measures.relative.data.slice(0, 3),
    [gained[1] / 100, gained[2] / 100, gained[3] / 100],
    { relative: 1e-12, absolute: 0 },
    'relative',
  );
  expect(Object.keys(claims![0].measured)).toEqual(['0°, 45°, seed 1', '0°, seed 2', '0°, seed 3', 'mean, angle seen', 'mean, angle new']);
});

test('without LoRA nothing is relative and nothing claimed; without both kinds there is no question', async () => {
  const modes = models.filter(({ model }) => model.adapter!.id === 'dopamine');
  const { measures, claims, facts } = await expressivity.run({ models: modes, seed: 0, options }, context);
  expect([...measures.relative.data, ...measures.meanRelative.data].every(Number.isNaN)).toBe(true);
  expect(claims).toEqual([]);
  expect(facts.relativeTo).toBe('LoRA (none was given)');
  await expect(expressivity.run({ models: modes.slice(1), seed: 0, options }, context)).rejects.toThrow(
    'expressivity: models must stand on foundations that were shown 45° and on such that were not, got "none of angle seen"',
  );
});
