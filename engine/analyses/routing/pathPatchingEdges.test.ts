/** Edges from the gate: those of the planted circuit in closed form, those of a random model by forwards in plain loops. */
import { afterAll, describe, expect, test } from 'vitest';
import { EXACT, expectClose } from '../../base/testing/closeTo.ts';
import { OnnxRuntimeExecutor } from '../../execute/onnxruntime.ts';
import { TensorFlowExecutor } from '../../execute/tensorflow.ts';
import { metricOf } from '../../interventions/effects.ts';
import type { Intervention } from '../../interventions/intervention.ts';
import { drawnPairs } from '../../interventions/testing/drawnPairs.ts';
import { plainForward, plainSites, type Hook } from '../../interventions/testing/plainForward.ts';
import { pathPatchingEdges } from './pathPatchingEdges.ts';
import { WholeRunner } from '../../interventions/wholeRunner.ts';
import { selectPairs } from '../../tasks/pairs.ts';
import { analyse, at, planted, plantedPairs, randomModel } from './testing/subjects.ts';

const onnx = new OnnxRuntimeExecutor({ cacheBytes: 0 });
const other = new TensorFlowExecutor();
afterAll(() => onnx.dispose());

const TRUTH = { relative: 0, absolute: 1e-3 };

test('the planted gate reaches its amplifiers by their queries, and nothing else', async () => {
  const { model } = planted();
  const findings = await analyse(pathPatchingEdges, onnx, { model, pairs: plantedPairs() }, { together: ['L2H0', 'L2H3'] });
  expect(findings.facts.sender).toBe('L1H2');
  const edges: Record<string, number> = {
    L2H0: 2 / 3,
    L2H1: 2 / 3,
    L2H3: -1 / 3,
    L2: 1,
    'L2 + L1 MLP': 1,
    heads: 1,
    readers: 1,
    together: 1 / 3,
  };
  for (const measure of ['necessity', 'sufficiency'])
    for (const receiver of findings.axes.receiver.values as string[]) {
      const expected = edges[receiver] ?? 0;
      expectClose(at(findings, measure, { receiver, part: 'all' }), [expected], TRUTH, `${measure} ${receiver}`);
      if (!/MLP|logits/.test(receiver)) {
        expectClose(at(findings, measure, { receiver, part: 'q' }), [expected], TRUTH, `${measure} ${receiver} q`);
        expectClose(at(findings, measure, { receiver, part: 'k' }), [0], TRUTH, `${measure} ${receiver} k`);
        expectClose(at(findings, measure, { receiver, part: 'v' }), [0], TRUTH, `${measure} ${receiver} v`);
      }
    }
  expectClose(at(findings, 'necessityWhole'), [1], TRUTH, 'whole');
  // An MLP has no query; where an edge is, its p is at the floor.
  expect(at(findings, 'necessityState', { receiver: 'L1 MLP' })).toEqual([1, 0, 0, 0]);
  expect(at(findings, 'necessityP', { receiver: 'L2', part: 'q' })[0]).toBeLessThan(1e-3);
  expect(at(findings, 'necessityP', { receiver: 'L3H0', part: 'q' })).toEqual([1]);
});

test('the same edges by the other executor', async () => {
  const pairs = selectPairs(plantedPairs(), [0, 7, 14]);
  const findings = await analyse(pathPatchingEdges, other, { model: planted().model, pairs }, { gate: 'L1H2', split: false });
  const receivers = ['L2H0', 'L2H1', 'L2H2', 'L2H3', 'L2', 'L3', 'L1 MLP', 'logits'];
  const of = (measure: string) => receivers.flatMap((receiver) => at(findings, measure, { receiver, part: 'all' }));
  expectClose(of('necessity'), [2 / 3, 2 / 3, 0, -1 / 3, 1, 0, 0, 0], TRUTH, 'necessity');
  expectClose(of('sufficiency'), [2 / 3, 2 / 3, 0, -1 / 3, 1, 0, 0, 0], TRUTH, 'sufficiency');
  expect(at(findings, 'necessityState', { receiver: 'L2', part: 'q' })).toEqual([0]);
});

describe('a random model', () => {
  const config = { vocabulary: 13, positions: 7, width: 12, heads: 3, layers: 3, mlp: 10 };
  const model = randomModel(config, 1);
  const pairs = drawnPairs(config, { pairs: 6, length: 6, divergence: 2, seed: 2 });
  const SIZE = 4;
  const all = Array.from({ length: pairs.pairs }, (_entry, pair) => pair);
  const tokens = (arm: 'sensitive' | 'control', pair: number) => pairs.arms[arm].subarray(pair * 6, pair * 6 + 6);
  const sites = {
    sensitive: all.map((pair) => plainSites(config, model.parameters, tokens('sensitive', pair))),
    control: all.map((pair) => plainSites(config, model.parameters, tokens('control', pair))),
  };
  const M = (pair: number, arm: 'sensitive' | 'control', hook?: Hook) => {
    const logits = plainForward(config, model.parameters, tokens(arm, pair), hook)[5];
    const { positive, negative } = pairs.metric;
    return (logits[positive.tokens[2 * pair]] + logits[positive.tokens[2 * pair + 1]]) / 2 - logits[negative.tokens[pair]];
  };
  const z = (layer: number) => `blocks.${layer}.attn.hook_z`;
  const head = (values: Float64Array, index: number) => values.subarray(index * SIZE, (index + 1) * SIZE);

  /** What stands everywhere when L0H1 is as on the other prompt at the read position, and every other head as it was. */
  const sent = (pair: number, base: 'sensitive' | 'control', donor: 'sensitive' | 'control') =>
    plainSites(config, model.parameters, tokens(base, pair), (site, values) => {
      if (/hook_z$/.test(site)) values.forEach((own, i) => own.set(sites[base][pair].get(site)![i]));
      if (site === z(0)) head(values[5], 1).set(head(sites[donor][pair].get(site)![5], 1));
    });

  const receivers: [receiver: string, part: string, write: (site: string, values: Float64Array[], from: Float64Array[]) => void][] = [
    [
      'L2H2',
      'k',
      (site, values, from) => site === 'blocks.2.attn.hook_k' && values.forEach((own, i) => head(own, 2).set(head(from[i], 2))),
    ],
    ['L1', 'all', (site, values, from) => /blocks.1.attn.hook_[qkv]$/.test(site) && values.forEach((own, i) => own.set(from[i]))],
    ['MLPs', 'all', (site, values, from) => /mlp.hook_pre$/.test(site) && values.forEach((own, i) => own.set(from[i]))],
    ['logits', 'all', (site, values, from) => site === 'blocks.2.hook_resid_post' && values[5].set(from[5])],
  ];

  test.each(['sensitive', 'control'] as const)('receivers by hand, in the %s prompt', async (base) => {
    const donor = base === 'sensitive' ? 'control' : 'sensitive';
    const findings = await analyse(pathPatchingEdges, onnx, { model, pairs }, { gate: 'L0H1' });
    const gap = all.reduce((sum, pair) => sum + Math.abs(M(pair, 'sensitive') - M(pair, 'control')), 0) / all.length;
    for (const [receiver, part, write] of receivers) {
      const expected = all.map((pair) => {
        const from = sent(pair, base, donor);
        const changed = M(pair, base, (site, values) => write(site, values, from.get(site)!)) - M(pair, base);
        return base === 'sensitive' ? -changed : changed;
      });
      const measure = base === 'sensitive' ? 'necessityPairs' : 'sufficiencyPairs';
      expectClose(at(findings, measure, { receiver, part }), expected, { relative: 0, absolute: 1e-5 * gap }, `${receiver} ${part}`);
      expect(Math.max(...expected.map(Math.abs)), receiver).toBeGreaterThan(1e-4 * gap);
    }
  });

  test('several senders in one run are what each is alone', async () => {
    const runner = new WholeRunner(onnx, model);
    const from = (index: number) => [
      { site: z(0), index, positions: 'all' as const, op: 'swap' as const, donor: { arm: 'control' as const } },
    ];
    const [one, other] = [from(1), from(2)];
    const receivers = [{ site: 'blocks.2.attn.hook_q', index: 0 }];
    const paths: Intervention[] = [
      { id: 'one', writes: one, receivers },
      { id: 'other', writes: other, receivers },
      { id: 'one, frozen', writes: one, receivers, mlps: 'freeze' },
      { id: 'one, to another', writes: one, receivers: [{ site: 'blocks.1.attn.hook_v' }] },
    ];
    const together = await runner.run(pairs, 'sensitive', paths);
    for (const path of paths)
      expectClose(
        metricOf(together, 'difference', path.id),
        metricOf(await runner.run(pairs, 'sensitive', [path]), 'difference', path.id),
        EXACT,
        path.id,
      );
    const late: Intervention = { id: 'late', writes: one, receivers: [{ site: 'hook_embed' }] };
    await expect(runner.run(pairs, 'sensitive', [...paths, late])).rejects.toThrow(
      'intervention late: receivers must come after the first write',
    );
    runner.dispose();
  });

  test('a receiver that comes before the sender, or none, is refused', async () => {
    const run = (options: object) => analyse(pathPatchingEdges, onnx, { model, pairs }, { gate: 'L1H0', ...options });
    await expect(run({ together: ['L1H2'] })).rejects.toThrow('pathPatchingEdges: together.0 must come after the sender, L1H0, got "L1H2"');
    await expect(run({ together: ['L7 MLP'] })).rejects.toThrow(
      'together.0 must be a head (L2H0), an MLP of the model (L1 MLP) or logits, got "L7 MLP"',
    );
    await expect(run({ gate: 'L3H0' })).rejects.toThrow('pathPatchingEdges: gate must be a head of the model, L0H0 to L2H2, got "L3H0"');
    await expect(run({ positions: 'verb' })).rejects.toThrow('pathPatchingEdges: positions must be one of read, content, all');
  });
});
