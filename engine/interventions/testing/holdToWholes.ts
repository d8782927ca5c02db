/** What holds the planned way to whole forwards of both executors, for any architecture option and any place where prompts may differ. For tests. */
import { expect } from 'vitest';
import { EXACT, expectClose } from '../../base/testing/closeTo.ts';
import { Random } from '../../base/random.ts';
import type { Executor } from '../../execute/executor.ts';
import { BASE } from '../../models/testing/options.ts';
import { randomWeights } from '../../models/testing/plainTransformer.ts';
import type { TransformerConfig } from '../../models/transformer.ts';
import type { PairSet } from '../../tasks/pairs.ts';
import { metricOf, type Effects, type Observation } from '../effects.ts';
import { modelGraph, siteNamed } from '../modelGraph.ts';
import { PlannedRunner } from '../plannedRunner.ts';
import { WholeRunner } from '../wholeRunner.ts';
import { drawnPairs, meanGap } from './drawnPairs.ts';
import { everyKind, heads, z } from './screens.ts';

export const LENGTH = 8;
const PAIRS = 5;
/** What reuse may cost, as a part of the gap (issue §2). */
export const ALLOWED = 1e-5;

export function pairsFor(config: TransformerConfig, divergence: number, pairs = PAIRS): PairSet {
  const drawn = drawnPairs(config, { pairs, length: LENGTH, divergence, seed: 5 + divergence });
  const roles = Int32Array.from({ length: LENGTH }, (_entry, i) => (i === 0 ? 0 : i < LENGTH - 2 ? 1 : 2));
  return {
    ...drawn,
    roles,
    roleNames: ['start', 'content', 'ask'],
    content: drawn.content!.map((at, pair) => Math.min(LENGTH - 1, at + (pair % 2))),
  };
}

/** Throws unless two runs say the same of every intervention. */
export function expectSame(actual: Effects, expected: Effects, gap: number, what: string): void {
  const allowed = { relative: 0, absolute: ALLOWED * gap };
  expectClose(metricOf(actual, 'difference'), metricOf(expected, 'difference'), allowed, `${what}: base`);
  for (const id of expected.interventions)
    expectClose(metricOf(actual, 'difference', id), metricOf(expected, 'difference', id), allowed, `${what}: ${id}`);
  expect([...actual.fired], what).toEqual([...expected.fired]);
  expectClose(actual.moved, expected.moved, { relative: 1e-5, absolute: 1e-5 }, `${what}: moved`);
  actual.observed.forEach((own, i) =>
    own.forEach((data, j) =>
      expectClose(data, expected.observed[i][j], { relative: 1e-5, absolute: 1e-5 }, `${what}: ${actual.interventions[i]}: observed ${j}`),
    ),
  );
}

const OBSERVE: readonly Observation[] = [
  { site: z(2), index: 1 },
  { site: 'blocks.1.hook_resid_post', positions: [1, 4] },
];

/** Runs interventions of every kind the planned way and as whole forwards, and throws unless they say the same. */
export async function holdToWholes(
  executors: readonly [Executor, Executor],
  option: Partial<TransformerConfig>,
  divergences: readonly number[],
): Promise<void> {
  const config = { ...BASE, ...option };
  const parameters = randomWeights(config, new Random(3));
  const model = modelGraph({ config, parameters });
  const planned = new PlannedRunner(executors[0], model);
  const wholes = executors.map((executor) => new WholeRunner(executor, model));

  for (const divergence of divergences) {
    const pairs = pairsFor(config, divergence);
    const kinds = everyKind(model.config, LENGTH, (site) => siteNamed(model, site) !== undefined);
    const interventions = [
      ...heads(config, 'read'),
      ...heads(config, [divergence > 0 ? divergence - 1 : 0]).slice(0, 5),
      ...heads(config, [4]),
      ...kinds,
    ];
    const run = { seed: 1, observe: OBSERVE };
    const actual = await planned.run(pairs, 'sensitive', interventions, run);
    const controls = metricOf(await planned.run(pairs, 'control', []), 'difference');
    const gap = meanGap(metricOf(actual, 'difference'), controls);
    const [byOnnx, byTensorFlow] = [
      await wholes[0].run(pairs, 'sensitive', interventions, run),
      await wholes[1].run(pairs, 'sensitive', interventions, run),
    ];
    expectSame(actual, byOnnx, gap, `${executors[0].name}, ${divergence}`);
    expectSame(actual, byTensorFlow, gap, `${executors[1].name}, ${divergence}`);
    const zeros = actual.interventions.filter((_id, i) => actual.state[i] === 'proved-zero');
    for (const id of zeros) {
      expectClose(metricOf(actual, 'difference', id), metricOf(actual, 'difference'), EXACT, `${id}: proved zero`);
      expectClose(metricOf(byOnnx, 'difference', id), metricOf(byOnnx, 'difference'), EXACT, `${id}: zero in the naive way`);
    }
    expectClose(
      metricOf(actual, 'difference', 'everything'),
      controls,
      { relative: 0, absolute: ALLOWED * gap },
      'everything from the donor',
    );
    const fallen = actual.wholes.map(({ intervention }) => intervention);
    if (option.exit) {
      expect(fallen).toContain('L0H0 "read"');
      continue;
    }
    expect(zeros).toContain('its own');
    expect(zeros.length).toBeGreaterThan(divergence === 0 ? 1 : 5);
    expect(fallen).toEqual(['a pattern', 'a direction below a write']);
  }
  [planned, ...wholes].forEach((runner) => runner.dispose());
}
