/** Figures of the run table: which model, form and angle they are of, and what counts where several say something. */
import { expect, test } from 'vitest';
import type { Findings } from '../../../engine/base/findings.ts';
import { adapted, Folder, foundation, training } from '../../store/testing/sessions.ts';
import type { Session } from '../../store/session.ts';
import { runSummaries } from './summary.ts';
import { shortTitles } from './titles.ts';

const axis = (values: readonly (string | number)[]) => ({ values });
const measure = (axes: string[], data: number[]) => ({ axes, unit: '%', definition: 'of all', data: Float64Array.from(data) });

/** Percent right: the model's number, the form's and the angle's as digits. */
const accuracy = (more: Partial<Findings['facts']> = {}, shift = 0): Findings => ({
  axes: { model: axis(['base', 'mode']), form: axis(['base', 'soft', 'hard']), angle: axis([0, 45]) },
  measures: {
    accuracy: measure(
      ['model', 'form', 'angle'],
      [11, 12, NaN, NaN, NaN, NaN, 21, 22, 31, 32, 41, 42].map((value) => value + shift),
    ),
  },
  facts: { part: 'test', images: 1000, ...more },
});

const gap: Findings = {
  axes: { model: axis(['mode']), angle: axis([45, 90]) },
  measures: { soft: measure(['model', 'angle'], [51, 52]), hard: measure(['model', 'angle'], [61, 62]) },
  facts: { part: 'test', images: 500 },
};

function keep(session: Session, key: string, analysis: string, findings: Findings): void {
  const all = [
    { label: 'base', model: foundation() },
    { label: 'mode', model: adapted() },
  ];
  const models = all.filter(({ label }) => findings.axes.model.values.includes(label));
  session.saveAnalysis({ key: key.repeat(64), analysis, version: 1, parameters: { models }, findings });
}

const given = { seconds: 1, provenance: {} };
const series = {
  loss: { unit: 'nats', values: Float32Array.of(2, 1, 0.5) },
  'accuracy 0°': { unit: '%', values: Float32Array.of(10, NaN, NaN, 71) },
  'hard accuracy 7°': { unit: '%', values: Float32Array.of(10, NaN, NaN, 72) },
  'gates open': { unit: '%', values: Float32Array.of(50, NaN, NaN, 40) },
};

test('analyses count before measurements, later ones before earlier ones, and those of other images not at all', () => {
  using folder = new Folder();
  const session = folder.session();
  const mode = training();
  const measuring = { ...(mode.request.parameters as object), measure: { every: 10, images: 300, angles: [0] } };
  session.saveTraining({ ...mode, ...given, request: { ...mode.request, parameters: measuring }, result: { ...mode.result, series } });
  const own = training(0, 'foundation');
  const { base: _base, adapter: _adapter, ...parameters } = own.request.parameters as Record<string, unknown>;
  session.saveTraining({
    ...own,
    ...given,
    request: { kind: 'train', parameters: { ...parameters, measure: undefined } },
    result: { ...own.result, model: foundation(), series },
  });
  const summaries = () => runSummaries(session);
  const none = { base: {}, soft: {}, hard: {} };
  expect(summaries().get(mode.key)).toEqual({
    ...{ base: {}, soft: { 0: 71 }, hard: { 7: 72 }, on: 40, loss: 0.5 },
    images: 300,
    counts: { ...none, soft: { 0: 300 }, hard: { 7: 300 } },
  });
  expect(summaries().get(own.key)).toEqual({
    ...{ base: { 0: 71 }, soft: {}, hard: { 7: 72 }, on: 40, loss: 0.5 },
    counts: { ...none, base: { 0: NaN }, hard: { 7: NaN } }, // it says of how many by nothing
  });
  keep(session, 'a', 'accuracy', accuracy());
  keep(session, 'b', 'accuracy', accuracy({ part: 'heldOut' }, 50));
  keep(session, 'c', 'softHardGap', gap);
  expect(summaries().get(own.key)).toMatchObject({ base: { 0: 11, 45: 12 }, soft: {}, hard: { 7: 72 } });
  expect(summaries().get(own.key)!.images).toBe(undefined);
  expect(summaries().get(mode.key)).toEqual({
    // No one number is that of all: which is of how many is said of each.
    counts: {
      base: { 0: 1000, 45: 1000 },
      soft: { 0: 1000, 45: 500, 90: 500 },
      hard: { 0: 1000, 7: 300, 45: 500, 90: 500 },
    },
    base: { 0: 21, 45: 22 },
    soft: { 0: 31, 45: 51, 90: 52 },
    hard: { 0: 41, 7: 72, 45: 61, 90: 62 },
    on: 40,
    loss: 0.5,
  });
});

test('models are called as shortly as tells them apart', () => {
  using folder = new Folder();
  const session = folder.session();
  const put = (label: string, model = foundation()) => session.putModel(model, { label });
  const names = () => session.models().map(({ digest }) => shortTitles(session.models()).get(digest));
  put('foundation');
  put('gain', adapted());
  expect(names()).toEqual(['foundation, seed 0', 'gain, seed 0']);
  const other = adapted();
  put('gain', { ...other, adapter: { ...other.adapter!, angles: [90] } });
  expect(names()).toEqual(['foundation, seed 0', 'gain 45°, seed 0', 'gain 90°, seed 0']);
  put('gain', { ...other, adapter: { ...other.adapter!, sparsity: 1 } });
  const all = names();
  expect(all.slice(0, 2)).toEqual(['foundation, seed 0', 'gain 45° on foundation 0°+45°, seed 0']);
  expect(all[2]).toBe('gain 90°, seed 0');
  expect(all[3]).toMatch(/^gain 45° on foundation 0°\+45°, seed 0 \([0-9a-f]{12}\)$/);
});
