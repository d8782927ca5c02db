/** Curves of runs under way: what was heard lies where it lies in the series that are stored in the end. */
import { expect, test } from 'vitest';
import type { Progress } from '../../../engine/contract.ts';
import { HeardSeries } from './heardSeries.ts';

const progress = (done: number, figures: Record<string, number>, measuredAt?: number): Progress => ({
  stage: 'walk',
  done,
  total: 10,
  figures,
  ...(measuredAt !== undefined && { measuredAt }),
});

test('points are new ones only: losses by the steps done, measurements by when they were taken', () => {
  const heard = new HeardSeries();
  expect(heard.hear(progress(0, { 'accuracy 0°': 10 }, 0))).toEqual([{ at: 0, values: { 'accuracy 0°': 10 } }]);
  expect(heard.hear(progress(3, { loss: 2, 'accuracy 0°': 10 }, 0))).toEqual([{ at: 3, values: { loss: 2 } }]);
  expect(heard.hear(progress(3, { loss: 2, 'accuracy 0°': 10 }, 0))).toEqual([]);
  expect(heard.hear(progress(5, { loss: 1, 'accuracy 0°': 20 }, 4))).toEqual([
    { at: 4, values: { 'accuracy 0°': 20 } },
    { at: 5, values: { loss: 1 } },
  ]);
  expect(heard.hear(progress(6, { loss: 0.5, 'accuracy 0°': 30 }, 6))).toEqual([{ at: 6, values: { loss: 0.5, 'accuracy 0°': 30 } }]);
  expect(heard.hear(progress(7, { loss: NaN }))).toEqual([]);
  expect(heard.series()).toEqual([
    { name: 'accuracy 0°', unit: '%', values: Float32Array.of(10, NaN, NaN, NaN, 20, NaN, 30) },
    { name: 'loss', unit: 'nats', values: Float32Array.of(NaN, NaN, 2, NaN, 1, 0.5) },
  ]);
});

test('a checkpoint has every step up to it', () => {
  const heard = new HeardSeries();
  heard.hear(progress(5, { loss: 0.5 }));
  const checkpoint = { step: 3, losses: Float32Array.of(3, 2, 1), measured: { 'gates open': Float32Array.of(50, NaN, NaN) } };
  expect(heard.series(checkpoint)).toEqual([
    { name: 'loss', unit: 'nats', values: Float32Array.of(3, 2, 1, NaN, 0.5) },
    { name: 'gates open', unit: '%', values: Float32Array.of(50, NaN, NaN) },
  ]);
});
