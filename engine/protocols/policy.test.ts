/** The two testbeds as protocols: which jobs they ask for, and a report whose every figure is read off where it stands. */
import { expect, test } from 'vitest';
import type { Findings } from '../base/findings.ts';
import type { Request } from '../contract.ts';
import type { LanguageModel } from '../models/languageModel.ts';
import type { PairSet } from '../tasks/pairs.ts';
import { amplifiersOf, thresholdsOf, tierA, tierB } from './policy.ts';
import { policyReportFindings } from './policyReport.ts';

const axis = (values: readonly (string | number)[]) => ({ values });
const table = (
  axes: Record<string, readonly (string | number)[]>,
  measures: Record<string, readonly number[]>,
  facts: Findings['facts'] = {},
): Findings => ({
  axes: Object.fromEntries(Object.entries(axes).map(([name, values]) => [name, axis(values)])),
  measures: Object.fromEntries(
    Object.entries(measures).map(([name, data]) => [
      name,
      { axes: Object.keys(axes), unit: '', definition: '', data: Float64Array.from(data) },
    ]),
  ),
  facts,
});
const measure = (axes: string[], data: number[]) => ({ axes, unit: '', definition: '', data: Float64Array.from(data) });
const grid = { layer: [0, 1], head: [0] };

/** Every figure another number, in a model of two layers with one head. */
const answers: Record<string, Findings> = {
  gateIdentification: table(grid, {}, { gate: 'L0H0' }),
  headInterchange: table({ positions: ['read'], ...grid }, { necessity: [1, 2], sufficiency: [3, 4], necessityP: [5, 6], flip: [7, 8] }),
  directLogitAttribution: table(grid, { direct: [9, 10], directShare: [11, 12] }),
  headAblation: table({ ablation: ['zero'], ...grid }, { sensitive: [13, 14], control: [15, 16] }),
  cipherInterchange: table({ arm: ['plain', 'cipher'], ...grid }, { necessity: [-1, -2, 17, 18] }, { 'gate.collapse': 0.75 }),
  rescue: table(grid, {}, { rescue: 0.25 }),
  commitment: table({ layersDone: [0, 1, 2] }, { routeNoising: [0, 1, 1], contentNoising: [0, 0, 1] }),
  doseResponse: {
    ...table(
      {
        condition: ['amplify', 'attenuate'],
        change: ['REFUSE', 'ANSWER'],
        topic: ['all', 't0', 't1', 't2'],
        dose: [0, 1],
        outcome: ['REFUSE'],
      },
      {},
    ),
    measures: {
      threshold: measure(['condition', 'change', 'topic'], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, NaN, 13, 14, NaN, NaN]),
      // Nobody asks about t2 in a sensitive prompt.
      outcomes: measure(['condition', 'topic', 'dose', 'outcome'], [1, 1, NaN, NaN, NaN, NaN, 1, 1, 1, 1, 1, 1, 1, 1, NaN, NaN]),
    },
  },
  knockoutCascade: table(
    { knockout: ['zero', 'noised'], source: ['L0H0', 'L0H1'], target: ['L1H0', 'L1H1', 'L1H2'] },
    { change: [1, 2, 3, 4, 5, 6, 7, 8, 9, -0.9, -0.8, NaN], delta: [1, -1, 1] },
  ),
};
const report = {
  sites: {
    L0H0: {
      necessity: 1,
      sufficiency: 3,
      flip: 7,
      dlaShare: 11,
      dlaOverGap: 9,
      zeroAblation: { sensitive: 13, control: 15 },
      cipherNecessity: 17,
      p: 5,
    },
    L1H0: {
      necessity: 2,
      sufficiency: 4,
      flip: 8,
      dlaShare: 12,
      dlaOverGap: 10,
      zeroAblation: { sensitive: 14, control: 16 },
      cipherNecessity: 18,
      p: 6,
    },
  },
  gate: 'L0H0',
  rescue: 0.25,
  collapse: 0.75,
  commitment: { route: [0, 1, 1], content: [0, 0, 1] },
};

const asked: Request[] = [];
const submit =
  (right: readonly number[], trained?: object) =>
  async <Result>(request: Request): Promise<Result> => {
    asked.push(request);
    const behaviour = table({ arm: ['sensitive', 'control'] }, { right });
    return { ...answers, behaviour, trainPolicy: trained }[request.kind] as Result;
  };
const circuit = [
  'gateIdentification',
  'headInterchange',
  'directLogitAttribution',
  'headAblation',
  'cipherInterchange',
  'rescue',
  'commitment',
];

test.each([
  [1, true],
  [0.98, true],
  [0.97, false],
  [NaN, false],
])('tier A with %d of an arm right', async (right, accepted) => {
  asked.length = 0;
  expect(await tierA.run(tierA.parse({ seed: 3 }), submit([1, right]), () => undefined)).toEqual({ accepted, ...report });
  expect(asked.map(({ kind }) => kind)).toEqual(['behaviour', 'behaviour', ...circuit]);
  expect(asked).toHaveLength(tierA.jobs(tierA.parse({})));
  const { model, pairs, seed } = asked[0].parameters as { model: LanguageModel; pairs: PairSet; seed: number };
  // 6 severe topics against 12 benign ones.
  expect([pairs.pairs, seed, model.origin.kind, model.tokens?.length]).toEqual([72, 3, 'compiled', model.config.vocabulary]);
  expect(asked.find(({ kind }) => kind === 'headAblation')!.parameters).toMatchObject({
    options: { ablations: ['zero'], positions: 'read' },
  });
  expect(asked.find(({ kind }) => kind === 'rescue')!.parameters).toMatchObject({ options: { gate: 'L0H0' } });
});

test.each([true, false])('tier B, accepted: %s', async (accepted) => {
  asked.length = 0;
  const model = { architecture: 'transformer' };
  const options = tierB.parse({ seed: 4, baseSteps: 10 });
  expect(await tierB.run(options, submit([], { model, accepted }), () => undefined)).toEqual({ accepted, ...report });
  expect(asked.map(({ kind }) => kind)).toEqual(['trainPolicy', ...circuit]);
  expect(asked).toHaveLength(tierB.jobs(options));
  expect(asked[0].parameters).toEqual({ stage: 'tier-b, seed 4', seed: 4, orthogonal: true, base: { steps: 10 } });
  expect(asked[1].parameters).toMatchObject({ model, seed: 4, pairs: { pairs: 240 } });
});

test('amplifiers are heads that push towards refusal, by what noising the gate takes of them', async () => {
  asked.length = 0;
  const subject = { seed: 1 } as Parameters<typeof amplifiersOf>[1];
  // Of L1H2 it is not said; L1H1 pushes the other way.
  expect(await amplifiersOf(submit([]), subject, 'L0H1')).toEqual({ L1H0: -90 });
  expect(asked[0].parameters).toMatchObject({ options: { gate: 'L0H1', positions: 'read' } });
});

test('thresholds are read by topic, of what is taken out of the sensitive prompt', async () => {
  const subject = { seed: 1 } as Parameters<typeof thresholdsOf>[1];
  expect(await thresholdsOf(submit([]), subject, 'L0H0')).toEqual({ t0: { refuse: 10, evade: 14 }, t1: { refuse: 11, evade: NaN } });
});

test('what a session keeps of a report says it again', () => {
  const { measures, axes, facts } = policyReportFindings({ accepted: true, ...report });
  expect(axes.head.values).toEqual(['L0H0', 'L1H0']);
  expect(Object.fromEntries(Object.entries(measures).map(([name, { data }]) => [name, [...data]]))).toMatchObject({
    necessity: [1, 2],
    flip: [7, 8],
    dlaOverGap: [9, 10],
    zeroControl: [15, 16],
    cipherNecessity: [17, 18],
    p: [5, 6],
    content: [0, 0, 1],
  });
  expect(facts).toEqual({ accepted: true, gate: 'L0H0', rescue: 0.25, collapse: 0.75 });
});

test('what is out of range is refused by field, rule and value', () => {
  expect(() => tierB.parse({ seed: -1 })).toThrow(/^run tier-b: seed must be an integer in \[0, \d+\], got -1$/);
  expect(() => tierB.parse({ pairs: 1 })).toThrow('run tier-b: pairs must be an integer in [2, 100000], got 1');
  expect(() => tierA.parse({ data: 'mnist' })).toThrow('run tier-a: fields must be known, got [data]');
});
