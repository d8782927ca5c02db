/** Findings of every shape as text. */
import { expect, test } from 'vitest';
import type { Findings, Measure } from '../../engine/base/findings.ts';
import { findingsText } from './findingsText.ts';

const measure = (axes: string[], data: number[], unit = ''): Measure => ({
  axes,
  unit,
  definition: 'as it is',
  data: Float64Array.from(data),
});
const findings: Findings = {
  axes: {
    angle: { values: [0, -45], unit: '°' },
    form: { values: ['soft', 'hard'] },
    unit: { values: Array.from({ length: 50 }, (_entry, i) => `L0U${i}`) },
  },
  measures: {
    gap: measure([], [0.25], 'points'),
    accuracy: measure(['form', 'angle'], [95.1, 90, NaN, 80.25], '%'),
    byAngle: measure(['angle'], [1, 2]),
    openness: measure(
      ['unit'],
      Array.from({ length: 50 }, (_entry, i) => i / 50),
      'share',
    ),
  },
  facts: { images: 100, part: 'test', exact: true },
  claims: [{ claim: 'it holds', measured: { 'seed 0': 1.005, mean: -0.001 }, status: 'in sign only' }],
};

test('a number, tables, a long one cut short, facts and claims', () => {
  expect(findingsText(findings, { rows: 3 })).toMatchInlineSnapshot(`
    "openness [share]: as it is
    unit   openness
    ───────────────
    L0U49      0.98
    L0U48      0.96
    L0U47      0.94
    (3 of 50 rows, those with the largest |openness|: export gives all)

    accuracy [%]: as it is
    form    0°   −45°
    ─────────────────
    soft  95.1     90
    hard     –  80.25

    byAngle: as it is
    angle  byAngle
    ──────────────
    0°           1
    −45°         2

    gap [points]: as it is
      0.25

    images  100
    part    test
    exact   yes

    Claims
      in sign only  it holds
                    seed 0 1, mean 0
    "
  `);
});

test('measures over the same long axis share a table, whose rows are those with most of the first', () => {
  const shared: Findings = {
    ...findings,
    measures: { openness: findings.measures.openness, error: { ...findings.measures.openness, unit: '' } },
    facts: {},
    claims: [],
  };
  expect(findingsText(shared, { rows: 2 })).toContain(
    ['unit   openness  error', '──────────────────────', 'L0U49      0.98   0.98', 'L0U48      0.96   0.96', ''].join('\n'),
  );
});

test('the last axis goes down the page where it is too long to go across', () => {
  const long: Findings = {
    axes: { form: { values: ['soft'] }, step: { values: Array.from({ length: 13 }, (_entry, i) => i) } },
    measures: {
      loss: measure(
        ['form', 'step'],
        Array.from({ length: 13 }, (_entry, i) => i),
      ),
    },
    facts: {},
  };
  const lines = findingsText(long).split('\n');
  expect(lines.slice(1, 4)).toEqual(['form  step  loss', '────────────────', 'soft     0     0']);
  expect(lines).toHaveLength(1 + 2 + 13 + 1);
});
