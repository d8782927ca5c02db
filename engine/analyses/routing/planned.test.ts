/** What is found does not depend on how interventions are run: analyses by planned runs against the same by whole forwards, effect by effect. */
import { afterAll, describe, expect, test } from 'vitest';
import { expectClose } from '../../base/testing/closeTo.ts';
import { OnnxRuntimeExecutor } from '../../execute/onnxruntime.ts';
import { PlannedRunner } from '../../interventions/plannedRunner.ts';
import { WholeRunner } from '../../interventions/wholeRunner.ts';
import { policyPairs } from '../../tasks/policyPairs.ts';
import { policyTask } from '../../tasks/policyRouting.ts';
import type { AnyRoutingAnalysis } from './analysis.ts';
import { cipherInterchange } from './cipherInterchange.ts';
import { commitment } from './commitment.ts';
import { doseResponse } from './doseResponse.ts';
import { gateDose } from './gateDose.ts';
import { levels } from './levels.ts';
import { pathPatchingEdges } from './pathPatchingEdges.ts';
import { rescue } from './rescue.ts';
import { randomModel } from './testing/subjects.ts';

const onnx = new OnnxRuntimeExecutor({ cacheBytes: 0 });
afterAll(() => onnx.dispose());

const task = policyTask({ topics: 12, high: 4, middle: 3, keys: 1 });
const pairs = policyPairs(task, { pairs: 8, dialect: 'ordered' });
const model = randomModel({ vocabulary: task.vocabulary, positions: 8, width: 12, heads: 3, layers: 3, mlp: 10 }, 1);

const asked: readonly [AnyRoutingAnalysis, object][] = [
  [pathPatchingEdges, { gate: 'L0H1', positions: 'all' }],
  [commitment, { positions: 'content' }],
  [doseResponse, { layer: 1, doses: [0, 1, 2], refinements: 1 }],
  [gateDose, { gate: 'L1H0', doses: [0, 1, 2], refinements: 1 }],
  [cipherInterchange, { gate: 'L1H0' }],
  [rescue, { gate: 'L1H0' }],
  [levels, { gate: 'L1H0' }],
];

describe.each(asked.map(([analysis, options]) => [analysis.id, analysis, options] as const))('%s', (_id, analysis, options) => {
  test('planned runs give what whole forwards give, pair by pair', async () => {
    const runners = [new WholeRunner(onnx, model), new PlannedRunner(onnx, model)];
    const [whole, planned] = await Promise.all(
      runners.map((runner) =>
        analysis.run(
          { label: 'model', model, pairs, seed: 1, options: analysis.options.parse(options) },
          {
            executor: onnx,
            runner: () => runner,
            signal: new AbortController().signal,
            progress: () => undefined,
            breathe: async () => undefined,
          },
        ),
      ),
    );
    const gap = Math.abs((whole.facts.gap as number | undefined) ?? 1);
    const compared = Object.keys(whole.measures).filter((name) => name.endsWith('Pairs') && !/threshold|outcome/.test(name));
    for (const name of compared)
      expectClose(planned.measures[name].data, whole.measures[name].data, { relative: 0, absolute: 1e-5 * Math.max(gap, 0.1) }, name);
    expect(compared.length).toBeGreaterThan(0);
    runners.forEach((runner) => runner.dispose());
  });
});
