import { scaleLinear } from 'd3';
import { describe, expect, it } from 'vitest';
import { withoutGaps } from '../../state/liveSeries.svelte.ts';
import { besides, endLabels } from './chartLabels.ts';
import { extentOf, linesOf, noiseOf, stepsOf, windowFor, type ChartRun, type Strength } from './chartLines.ts';
import { runViews } from './rows.ts';
import { jobs, runs, seriesOf } from './testing/sampleSession.ts';

const rows = runViews({ runs, jobs, angle: 45, other: 0, images: () => 60_000, latest: () => NaN });
const chartRun = (label: string, seed: number, strength: Strength): ChartRun => {
  const run = runs.find((one) => one.label === label && one.seed === seed)!;
  const row = rows.find(({ key }) => key === run.key)!;
  return { row, strength, curves: seriesOf(run).map(({ name, unit, values }) => withoutGaps(name, unit, values as Float32Array)) };
};
const some = [
  chartRun('dopamine', 3, 'strong'),
  chartRun('gain', 3, 'plain'),
  chartRun('lora-r4', 0, 'faint'),
  chartRun('foundation', 0, 'plain'),
];

describe('chart lines', () => {
  it('are those runs that have the series, the strong ones smoothed over what was measured', () => {
    expect(linesOf(some, 'soft − hard').map(({ name }) => name)).toEqual(['Dopamine τ + γ']);
    const loss = linesOf(some, 'loss', 31);
    expect(loss.map(({ raw }) => raw !== undefined)).toEqual([true, false, false, false]);
    const [{ values, raw }] = loss;
    const at = 200;
    const window = Array.from({ length: 31 }, (_entry, k) => raw!.values[at - 15 + k]);
    expect(values[at]).toBeCloseTo(window.reduce((a, b) => a + b, 0) / 31, 9);
    expect(noiseOf(loss)).toBeGreaterThan(0.01);
    expect(noiseOf(linesOf(some, 'loss'))).toBe(0);
  });

  it('say how the temperature will go on: geometrically, as training has it', () => {
    const [line] = linesOf(some, 'temperature');
    const { at, values } = line.future!;
    expect(at[0]).toBe(line.at[line.at.length - 1]);
    // Its logarithm falls in a straight line from the start to the end.
    const [high, low] = [Math.log(0.3), Math.log(0.02)];
    at.forEach((step, i) => expect(Math.log(values[i])).toBeCloseTo(high + ((low - high) * step) / 3752, 12));
    expect(linesOf([chartRun('dopamine', 0, 'plain')], 'temperature')[0].future).toBeUndefined();
  });

  it('fit what is in sight of what counts', () => {
    const lines = linesOf(some, 'accuracy 45°');
    const brute = (counted: typeof lines, from: number, to: number): [number, number] => {
      const values = counted.flatMap(({ at, values: all }) => Array.from(all).filter((_value, i) => at[i] >= from && at[i] <= to));
      return [Math.min(...values), Math.max(...values)];
    };
    const modes = lines.filter(({ isFoundation }) => !isFoundation);
    expect(extentOf(lines, [500, 2000])).toEqual(
      brute(
        modes.filter(({ strength }) => strength !== 'faint'),
        500,
        2000,
      ),
    );
    expect(extentOf(lines, [500, 2000], { faint: true })).toEqual(brute(modes, 500, 2000));
    expect(extentOf(lines, [9000, 9999])).toBeUndefined();
    expect(extentOf([], [0, 1])).toBeUndefined();
  });

  it('are as long as the longest', () => {
    expect(stepsOf(some)).toBe(3752);
    expect(stepsOf([])).toBe(0);
  });

  it('are smoothed by an odd number of points, short ones not at all', () => {
    for (const points of [1, 50, 100, 938, 100_000]) expect(windowFor(points) % 2).toBe(1);
    expect(windowFor(50)).toBe(1);
  });
});

describe('chart labels', () => {
  const y = scaleLinear([93, 98], [300, 0]);
  const x = scaleLinear([0, 3752], [40, 420]);
  const write = (value: number): string => value.toFixed(1);

  it('name each adapter once, with its value where it is strong, apart from each other', () => {
    const lines = linesOf([...some.slice(1, 3), chartRun('gain', 0, 'faint'), chartRun('bias', 3, 'plain')], 'accuracy 45°');
    const labels = besides(lines, y, [4, 296], [{ value: 94, label: 'Frozen base 94.0' }], write);
    expect(labels.map(({ name, faint }) => [name, faint])).toEqual([
      ['Gain only', false],
      ['LoRA r = 4', true],
      ['Bias only', false],
      ['Frozen base 94.0', false],
    ]);
    expect(labels.map(({ value }) => value !== '')).toEqual([true, false, true, false]);
    const places = labels.map(({ y: place }) => place).sort((a, b) => a - b);
    places.slice(1).forEach((place, i) => expect(place - places[i]).toBeGreaterThan(15.9));
  });

  it('stand at the dot of what still runs, before it where there is no room', () => {
    const lines = linesOf(some.slice(0, 1), 'accuracy 45°');
    const [label] = endLabels(lines, x, y, [10, 300], false, write);
    expect(label).toMatchObject({ name: 'Dopamine τ + γ', isLive: true, x: x(Number(lines[0].at[lines[0].at.length - 1])) });
    expect(endLabels(lines, scaleLinear([0, 2400], [40, 420]), y, [10, 300], false, write)[0].before).toBe(true);
    expect(endLabels(lines, scaleLinear([0, 100], [40, 420]), y, [10, 300], false, write)).toEqual([]);
  });
});
