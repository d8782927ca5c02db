/** The two testbeds as protocols: which jobs they ask for, and a report whose every figure is read off where it stands. */
import { expect, test } from 'vitest';
import type { Findings } from '../base/findings.ts';
import type { Request } from '../contract.ts';
import type { LanguageModel } from '../models/languageModel.ts';
import type { PairSet } from '../tasks/pairs.ts';
import { tierA, tierB } from './policy.ts';
import { policyReportFindings } from './policyReport.ts';

const names = ['necessity', 'sufficiency', 'p', 'flip', 'dlaOverGap', 'dlaShare', 'zeroSensitive', 'zeroControl', 'cipherNecessity'];
const measure = (axes: string[], data: number[]) => ({ axes, unit: '', definition: '', data: Float64Array.from(data) });
/** Every figure another number. */
const circuit = (right: number): Findings => ({
  axes: { head: { values: ['L0H0', 'L0H1'] } },
  measures: Object.fromEntries(names.map((name, i) => [name, measure(['head'], [i, i + 100])])),
  facts: { gate: 'L0H1', rescue: 0.25, collapse: 0.75, 'right.sensitive': 1, 'right.control': right },
});
const curves: Findings = {
  axes: { layersDone: { values: [0, 1] } },
  measures: { routeNoising: measure(['layersDone'], [0, 1]), contentNoising: measure(['layersDone'], [0, 0.5]) },
  facts: {},
};
const report = {
  sites: {
    L0H0: {
      necessity: 0,
      sufficiency: 1,
      flip: 3,
      dlaShare: 5,
      dlaOverGap: 4,
      zeroAblation: { sensitive: 6, control: 7 },
      cipherNecessity: 8,
      p: 2,
    },
    L0H1: {
      necessity: 100,
      sufficiency: 101,
      flip: 103,
      dlaShare: 105,
      dlaOverGap: 104,
      zeroAblation: { sensitive: 106, control: 107 },
      cipherNecessity: 108,
      p: 102,
    },
  },
  gate: 'L0H1',
  rescue: 0.25,
  collapse: 0.75,
  commitment: { route: [0, 1], content: [0, 0.5] },
};

const asked: Request[] = [];
const submit =
  (right: number, trained?: object) =>
  async <Result>(request: Request): Promise<Result> => {
    asked.push(request);
    const answer = { policyCircuit: circuit(right), commitment: curves, trainPolicy: trained }[request.kind];
    return answer as Result;
  };

test.each([
  [1, true],
  [0.98, true],
  [0.97, false],
])('tier A with %d of an arm right', async (right, accepted) => {
  asked.length = 0;
  expect(await tierA.run(tierA.parse({ seed: 3 }), submit(right), () => undefined)).toEqual({ accepted, ...report });
  expect(asked.map(({ kind }) => kind)).toEqual(['policyCircuit', 'commitment']);
  const { model, pairs, seed } = asked[0].parameters as { model: LanguageModel; pairs: PairSet; seed: number };
  // 6 severe topics against 12 benign ones.
  expect([pairs.pairs, seed, model.origin.kind, model.tokens?.length]).toEqual([72, 3, 'compiled', model.config.vocabulary]);
});

test.each([true, false])('tier B, accepted: %s', async (accepted) => {
  asked.length = 0;
  const model = { architecture: 'transformer' };
  expect(await tierB.run(tierB.parse({ seed: 4, baseSteps: 10 }), submit(0, { model, accepted }), () => undefined)).toEqual({
    accepted,
    ...report,
  });
  expect(asked.map(({ kind }) => kind)).toEqual(['trainPolicy', 'policyCircuit', 'commitment']);
  expect(asked[0].parameters).toEqual({
    stage: 'tier-b, seed 4',
    seed: 4,
    orthogonal: true,
    base: { steps: 10 },
  });
  expect(asked[1].parameters).toMatchObject({ model, seed: 4, pairs: { pairs: 240 }, options: { permutations: 10_000, resamples: 2000 } });
});

test('what a session keeps of a report says it again', () => {
  const { measures, axes, facts } = policyReportFindings({ accepted: true, ...report });
  expect(axes.head.values).toEqual(['L0H0', 'L0H1']);
  for (const [i, name] of names.entries()) expect([name, ...measures[name].data]).toEqual([name, i, i + 100]);
  expect([...measures.content.data]).toEqual([0, 0.5]);
  expect(facts).toEqual({ accepted: true, gate: 'L0H1', rescue: 0.25, collapse: 0.75 });
});

test('what is out of range is refused by field, rule and value', () => {
  expect(() => tierB.parse({ seed: -1 })).toThrow(/^run tier-b: seed must be an integer in \[0, \d+\], got -1$/);
  expect(() => tierB.parse({ pairs: 1 })).toThrow('run tier-b: pairs must be an integer in [2, 100000], got 1');
  expect(() => tierA.parse({ data: 'mnist' })).toThrow('run tier-a: fields must be known, got [data]');
});
