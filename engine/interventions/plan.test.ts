/** Plans against what is then run: forwards, runs of branches, proofs; arithmetic against a count by hand; the plan in words. */
import { afterAll, describe, expect, test } from 'vitest';
import { expectClose } from '../base/testing/closeTo.ts';
import { OnnxRuntimeExecutor } from '../execute/onnxruntime.ts';
import { program } from '../graph/program.ts';
import { Random } from '../base/random.ts';
import { BASE } from '../models/testing/options.ts';
import { randomWeights } from '../models/testing/plainTransformer.ts';
import type { Intervention } from './intervention.ts';
import { modelGraph } from './modelGraph.ts';
import { runInParts } from './parts.ts';
import { planText, workOf } from './plan.ts';
import { PlannedRunner } from './plannedRunner.ts';
import { drawnPairs } from './testing/drawnPairs.ts';
import { heads, z } from './testing/screens.ts';

const onnx = new OnnxRuntimeExecutor();
afterAll(() => onnx.dispose());

const LENGTH = 8;
const model = modelGraph({ config: BASE, parameters: randomWeights(BASE, new Random(3)) });
const pairsFrom = (divergence: number) => drawnPairs(BASE, { pairs: 70, length: LENGTH, divergence, seed: 3 });

const everyPosition = Array.from({ length: LENGTH }, (_entry, position) => heads(BASE, [position])).flat();

describe('a plan is kept to', () => {
  test.each<[string, number, readonly Intervention[]]>([
    ['the read position', 0, heads(BASE, 'read')],
    ['all positions, prompts that differ late', 5, heads(BASE, 'all')],
    ['heads × positions', 0, everyPosition],
    ['heads × positions, prompts that differ from the middle on', LENGTH / 2, everyPosition],
    ['heads × positions, prompts that differ at the end', LENGTH - 1, everyPosition],
    [
      'sets of layers',
      3,
      [
        {
          id: 'band',
          writes: [0, 1, 2].map((layer) => ({ site: z(layer), index: 1, positions: 'all', op: 'swap', donor: { arm: 'control' } })),
        },
      ],
    ],
  ])('%s', async (_name, divergence, interventions) => {
    const pairs = pairsFrom(divergence);
    const runner = new PlannedRunner(onnx, model);
    const plan = runner.plan(pairs, 'sensitive', interventions);
    const effects = await runner.run(pairs, 'sensitive', interventions);
    expect({ forwards: plan.forwards * plan.chunks, branches: plan.runs }).toEqual(runner.runs);
    expect(plan.proved).toEqual(effects.interventions.filter((_id, i) => effects.state[i] === 'proved-zero'));
    expect(plan.naiveForwards).toBe(2 + interventions.reduce((sum, { writes }) => sum + writes.length, 0));
    expect(plan.bytes.effects).toBe(effects.metrics.byteLength + effects.base.byteLength);
    expect(plan.work.planned).toBeLessThan(plan.work.naive);
    runner.dispose();
  });

  test('tokens prove nothing of what is computed from a donor, or taken from another place of another pair', async () => {
    // All prompts are alike up to their last token, and the content of every second pair stands elsewhere.
    const pairs = { ...pairsFrom(LENGTH - 1), content: Int32Array.from({ length: 70 }, (_entry, pair) => 1 + (pair % 2)) };
    for (let pair = 1; pair < 70; pair++)
      for (const arm of ['sensitive', 'control'] as const) pairs.arms[arm].set(pairs.arms[arm].subarray(0, LENGTH - 1), pair * LENGTH);
    const interventions: Intervention[] = [
      { id: 'its own', writes: [{ site: z(0), index: 0, positions: 'all', op: 'swap', donor: { arm: 'sensitive' } }] },
      { id: 'mixed', writes: [{ site: z(0), index: 0, positions: 'all', op: 'interpolate', donor: { arm: 'sensitive' }, amount: 3 }] },
      { id: 'another place', writes: [{ site: z(0), index: 0, positions: 'content', op: 'swap', donor: { resample: 'sensitive' } }] },
    ];
    const runner = new PlannedRunner(onnx, model);
    expect(runner.plan(pairs, 'sensitive', interventions).proved).toEqual(['its own']);
    const { state } = await runner.run(pairs, 'sensitive', interventions);
    expect(state).toEqual(['proved-zero', 'measured', 'measured']);
    runner.dispose();
  });

  test('of heads × positions only what differs and can matter is run', () => {
    const runner = new PlannedRunner(onnx, model);
    const plan = runner.plan(pairsFrom(LENGTH / 2), 'sensitive', everyPosition);
    // Half of the positions are the same in both prompts; of the last layer only the last one counts.
    expect(plan.interventions - plan.proved.length).toBe(BASE.heads * ((BASE.layers - 1) * (LENGTH / 2) + 1));
  });
});

test('the arithmetic of a forward, counted by hand', () => {
  const { width, heads: count, layers, mlp, vocabulary } = BASE;
  const [rows, length] = [3, LENGTH];
  const perPosition = layers * (4 * width * width + 2 * width * mlp) + width * vocabulary;
  const attention = layers * 2 * count * length * length * (width / count);
  const sizes = new Map([
    ['rows', rows],
    ['positions', length],
  ]);
  expect(workOf(program({ logits: model.logits }), sizes)).toBe(rows * (length * perPosition + attention));
});

test('in words, with what is run whole and why', () => {
  const runner = new PlannedRunner(onnx, model);
  const pattern: Intervention = {
    id: 'pattern',
    writes: [{ site: 'blocks.1.attn.hook_pattern', index: 0, positions: 'read', op: 'swap', donor: { arm: 'control' } }],
  };
  const path: Intervention = {
    id: 'path',
    writes: heads(BASE, 'read')[0].writes,
    receivers: [{ site: 'blocks.1.attn.hook_q', positions: 'read' }],
  };
  const plan = runner.plan(pairsFrom(0), 'sensitive', [...heads(BASE, 'read'), pattern], {}, 1e-9);
  const text = planText(plan);
  expect(text).toContain('13 interventions on 70 pairs, in 3 parts of at most 32');
  expect(text).toContain('plain way: 15 whole forwards; planned: 3 whole forwards and 3 runs of branches');
  expect(text).toContain('family of tests: 13 interventions under one max-T');
  expect(text).toMatch(/run whole: 1, since cut positions: /);
  expect(text).toMatch(/expected time: .* s \(plain way .* s\)/);
  // Path patching is two runs: the senders', which hold every head, and the receivers'.
  expect(runner.plan(pairsFrom(0), 'sensitive', [path]).runs).toBe(2 * 3);
});

test('a sweep larger than memory comes in parts, with the same effects', async () => {
  const pairs = pairsFrom(2);
  const [one, other] = [new PlannedRunner(onnx, model), new PlannedRunner(onnx, model)];
  const whole = await one.run(pairs, 'sensitive', heads(BASE, 'read'));
  const each = one.plan(pairs, 'sensitive', heads(BASE, 'read')).bytes.effects / 13;
  const parts = [];
  for await (const part of runInParts(other, pairs, 'sensitive', heads(BASE, 'read'), { each, ceiling: 5 * each })) parts.push(part);
  expect(parts.map(({ interventions }) => interventions.length)).toEqual([5, 5, 2]);
  expectClose(
    parts.flatMap(({ metrics }) => [...metrics]),
    whole.metrics,
    { relative: 1e-5, absolute: 1e-5 },
    'metrics',
  );
});

test('a unit of work is timed with the clock it is given', () => {
  const runner = new PlannedRunner(onnx, model);
  let time = 0;
  const seconds = runner.measureWork(pairsFrom(0), 'sensitive', () => (time += 0.5));
  const sizes = new Map([
    ['rows', 32],
    ['positions', LENGTH],
  ]);
  expect(seconds).toBeCloseTo(0.5 / workOf(program({ logits: model.logits }), sizes), 15);
});
