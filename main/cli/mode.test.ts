/** Keeping a mode between others: the session has it with its run, finds it again, analyses it as the point of the path that it is. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { interpolate } from '../../engine/models/modes.ts';
import { canonicalDigest } from '../store/canonical.ts';
import { Session } from '../store/session.ts';
import { BRIEF, done, expectRefused, json, overview, SMALL, Study } from './testing/study.ts';

let study: Study;
let session: string;
beforeAll(async () => {
  study = new Study();
  ({ session } = study);
  await done('new', session);
  await done('train', '--session', session, '--data', study.images, '--angles', '0,45', '--seed', '3', ...SMALL);
  for (const [adapter, angle] of [
    ['dopamine', '45'],
    ['dopamine', '0'],
    ['dopamine+two-sided', '45'],
    ['gain', '45'],
  ])
    await done('adapt', '--session', session, '--base', 'foundation', '--adapter', adapter, '--angles', angle, ...BRIEF);
});
afterAll(() => study[Symbol.dispose]());

const MODE = 'dopamine 45° on foundation 0°+45°, seed 3';
const OTHER = 'dopamine 0° on foundation 0°+45°, seed 3';

test('a point of a path is kept as a run with its model, and found again', async () => {
  const before = await overview(session);
  const [mode, other] = [MODE, OTHER].map((title) => before.models.find((model) => model.title === title)!.digest);
  const words = ['mode', '--session', session, '--model', MODE, '--share', '0.5'];
  const kept = json(await done(...words, '--json')) as { digest: string; title: string; run: string; parameters: number };
  expect(kept).toMatchObject({ title: 'dopamine (share 0.5) 45° on foundation 0°+45°, seed 3', parameters: 28 });
  const between = await done(
    'mode',
    '--session',
    session,
    '--model',
    mode.slice(0, 12),
    '--other',
    OTHER,
    '--share',
    '0.25',
    '--stage',
    'near',
  );
  expect(between.stdout).toMatch(/^[0-9a-f]{64} {2}near 45°\+0° on foundation 0°\+45°, seed 3\n$/);
  const again = await done(...words, '--stage', 'another name');
  expect(again).toMatchObject({ stdout: `${kept.digest}  ${kept.title}\n`, engines: 0 });

  using opened = Session.open(session, 'read');
  const [one, two] = [mode, other].map((digest) => opened.model(digest));
  expect(kept.digest).toBe(canonicalDigest(interpolate(one, undefined, 0.5)));
  expect(between.stdout.startsWith(canonicalDigest(interpolate(one, two, 0.25)))).toBe(true);
  const [run, last] = opened.runs().slice(-2);
  expect(run).toMatchObject({
    key: kept.run,
    kind: 'interpolateMode',
    label: 'dopamine (share 0.5)',
    state: 'done',
    model: kept.digest,
    seed: 3,
  });
  expect(last.label).toBe('near');
  expect(run.corpus).toBe(opened.corpora()[0].digest);
  expect(
    opened
      .actions()
      .map(({ verb }) => verb)
      .slice(-2),
  ).toEqual(['interpolate', 'interpolate']);
});

test('it is analysed on the images of its mode, shown and exported', async () => {
  const { stdout } = await done('analyse', 'accuracy', '--session', session, '--model', 'dopamine (share 0.5)', '--angles', '45');
  expect(stdout).toContain('own.npz');
  const path = json(
    await done('analyse', 'interpolation', '--session', session, '--model', MODE, '--steps', '3', '--angles', '45', '--json'),
  ) as {
    findings: { measures: { accuracy: { data: number[] } } };
  };
  const own = json(
    await done('analyse', 'accuracy', '--session', session, '--model', 'dopamine (share 0.5)', '--angles', '45', '--json'),
  ) as typeof path;
  expect(own.findings.measures.accuracy.data).toContain(path.findings.measures.accuracy.data[1]);
  await done('show', session, 'near');
  await done('export', session, 'all', '--format', 'csv', '--output', study.at('all.csv'));
});

describe('mistakes', () => {
  test('are told in the words of the flags, before an engine is started', async () => {
    const mode = ['mode', '--session', session];
    await expectRefused([
      [[...mode, '--share', '0.5'], 'mode: --model must be given'],
      [[...mode, '--model', MODE], 'mode: --share must be given: a number in [0, 1], got undefined'],
      [[...mode, '--model', MODE, '--share', '2'], 'mode: --share must be a number in [0, 1], got "2"'],
      [[...mode, '--model', MODE, '--share', 'half'], 'mode: --share must be a number in [0, 1], got "half"'],
      [[...mode, '--model', 'nobody', '--share', '1'], 'mode: --model must be'],
      [[...mode, '--model', MODE, '--other', 'nobody', '--share', '1'], 'mode: --other must be'],
      [[...mode, '--model', 'foundation', '--share', '1'], 'mode: --model "foundation" must have an adapter, got "a foundation"'],
      [
        [...mode, '--model', 'dopamine+two-sided', '--share', '1'],
        'mode: --model "dopamine+two-sided" must gate activations to have the base at its end',
      ],
      [[...mode, '--model', MODE, '--other', 'gain', '--share', '1'], 'mode: --other "gain" must be the same for both modes'],
      [[...mode, '--model', MODE, '--share', '1', '--stage', ''], 'mode: --stage must not be empty, got ""'],
    ]);
  });
});

test('a training is measured where a flag says so, and shown with what was measured', async () => {
  const words = ['adapt', '--session', session, '--base', 'foundation', '--adapter', 'dopamine', '--angles', '45', '--seed', '9', ...BRIEF];
  const plain = json(await done(...words, '--json')) as { digest: string; run: string };
  const measured = json(await done(...words, '--measure-every', '3', '--json')) as typeof plain;
  expect(measured.digest).toBe(plain.digest);
  expect(measured.run).not.toBe(plain.run);
  expect(json(await done(...words, '--measure-every', '3', '--measure-angles', '0,45', '--json'))).toEqual(measured);
  const { series } = json(await done('show', session, measured.run, '--json')) as { series: { name: string; values: (number | null)[] }[] };
  expect(series.map(({ name }) => name)).toEqual([
    'loss',
    'temperature',
    'accuracy 0°',
    'accuracy 45°',
    'hard accuracy 0°',
    'hard accuracy 45°',
    'soft − hard',
    'gates open',
  ]);
  expect(series[3].values.filter((value) => value !== null).length).toBeGreaterThan(3);
  expect((await done('show', session, measured.run)).stdout).toMatch(/^accuracy 45° +% +\d+( +[\d.]+){4}$/m);
  await done('export', session, measured.run, '--format', 'csv', '--output', study.at('run.csv'));
});
