import { afterEach, describe, expect, it } from 'vitest';
import type { Snapshot } from '../../../main/host/hostApi.ts';
import { effectRoot } from '../../testing/effectRoot.svelte.ts';
import { fixture } from '../../testing/fixtures.ts';
import { settled } from '../../testing/picture.ts';
import { ModesState } from './modesState.svelte.ts';
import { PathAccuracy, pathRequest } from './pathAccuracy.svelte.ts';
import { shownAccuracies } from './shownAccuracy.ts';
import { notMeasured, sceneOf, ungated, withoutModels, withoutModes, type Scene } from './testing/scenes.ts';
import { UnitsState } from './unitsState.svelte.ts';

const snapshot = fixture<Snapshot>('snapshot');
const ends: (() => void)[] = [];
afterEach(() => ends.splice(0).forEach((end) => end()));

interface Looked {
  readonly scene: Scene;
  readonly modes: ModesState;
}

async function look(scene: Scene): Promise<Looked> {
  await scene.ready;
  return { scene, modes: new ModesState(scene.app) };
}

const changes = ({ calls }: Scene): unknown[] => calls.filter(({ method }) => method === 'setView').map(({ given }) => given);
const ran = ({ calls }: Scene): unknown[] => calls.filter(({ method }) => method === 'run').map(({ given }) => given);

describe('what the workspace looks at', () => {
  it('is the newest gated mode and its foundation, against a LoRA, until somebody chooses', async () => {
    const { scene, modes } = await look(sceneOf());
    const gated = snapshot.models.filter((model) => model.gated).sort((a, b) => a.at.localeCompare(b.at));
    expect(modes.mode?.digest).toBe(gated.at(-1)!.digest);
    expect(modes.foundation?.digest).toBe(gated.at(-1)!.base);
    expect(modes.rival?.adapter).toBe('lora-r4');
    expect([modes.form, modes.share, modes.ownAngle, modes.oldAngle, modes.angle]).toEqual(['soft', 1, 45, 0, 45]);

    const other = snapshot.models.find(({ adapter, seed }) => adapter === 'dopamine' && seed === 1)!;
    modes.chooseFoundation(other.base!);
    expect(modes.mode?.base).toBe(other.base);
    modes.chooseMode(other.digest);
    expect(modes.mode?.digest).toBe(other.digest);
    expect(changes(scene).slice(-1)).toEqual([{ name: 'modes.mode', value: other.digest, label: 'Look at Dopamine τ + γ' }]);
  });

  it('has no hard form without gates, and is the base where there is no mode', async () => {
    const { modes } = await look(ungated());
    modes.setForm('hard');
    expect(modes.form).toBe('soft');
    expect(modes.canOpen).toBe(false);
    const { modes: alone } = await look(withoutModes());
    expect([alone.mode, alone.form, alone.foundations.length]).toEqual([undefined, 'base', 3]);
    const { modes: nothing } = await look(withoutModels());
    expect([nothing.foundation, nothing.shown]).toEqual([undefined, undefined]);
  });

  it('keeps a drag as one step', async () => {
    const { scene, modes } = await look(sceneOf());
    const before = changes(scene).length;
    for (const share of [0.9, 0.7, 0.52]) modes.dragShare(share);
    expect([modes.share, modes.moving]).toEqual([0.52, true]);
    expect(changes(scene)).toHaveLength(before);
    modes.setShare(0.5);
    expect([modes.share, modes.moving]).toEqual([0.5, false]);
    expect(changes(scene).slice(before)).toEqual([{ name: 'modes.share', value: 0.5, label: 'Move to 50\u202f% of the mode' }]);
  });
});

describe('forced units', () => {
  it('are the mode’s own, and are freed by themselves or all at once, each a step with a name', async () => {
    const { scene, modes } = await look(sceneOf());
    modes.force('L0U17', 'shut');
    modes.force('L1U4', 'open');
    expect(modes.forced).toEqual({ L0U17: 'shut', L1U4: 'open' });
    modes.free('L0U17');
    expect(modes.forcedList).toEqual([{ unit: 'L1U4', state: 'open' }]);
    modes.setForm('rival');
    expect(modes.forcedList).toEqual([]);
    modes.setForm('soft');
    modes.freeAll();
    modes.freeAll(); // nothing to free: no step
    const labels = changes(scene).flatMap((change) => (change as { label?: string }).label ?? []);
    expect(labels).toEqual([
      'Force Layer 1 · unit 17 shut',
      'Force Layer 2 · unit 4 open',
      'Free Layer 1 · unit 17',
      'Show the other adapter',
      'Show the mode, soft',
      'Free all units',
    ]);
  });

  it('are measured once, without another click', async () => {
    const { scene, modes } = await look(sceneOf());
    ends.push(effectRoot(() => void modes.followForced()));
    modes.force('L0U17', 'shut');
    await settled();
    await settled();
    const [work, ...others] = ran(scene) as { analysis: string; options: unknown; models: string[] }[];
    expect(others).toEqual([]);
    expect(work).toMatchObject({
      analysis: 'forced',
      models: [modes.mode!.digest],
      options: { units: [{ unit: 'L0U17', state: 'shut' }], angles: [45, 0], form: 'soft' },
    });
  });
});

describe('findings', () => {
  it('are asked for in the form that is shown, and what is missing is run at once', async () => {
    const { scene, modes } = await look(notMeasured());
    ends.push(effectRoot(() => void modes.missing.length));
    await settled();
    expect(modes.missing.map(({ analysis }) => analysis)).toEqual([
      'firing',
      'categories',
      'contributions',
      'topImages',
      'receptiveFields',
    ]);
    expect(modes.missingSeconds).toBeUndefined();
    await modes.estimate();
    expect(modes.missingSeconds).toBe(5 * 6);
    modes.setForm('hard');
    await settled();
    expect(modes.missing.map(({ options }) => options?.form)).toEqual(Array(5).fill('hard'));
    await modes.measureAll();
    expect(ran(scene).map((work) => (work as { analysis: string }).analysis)).toEqual(modes.missing.map(({ analysis }) => analysis));
  });

  it('of the rival are its own', async () => {
    const { modes } = await look(sceneOf());
    modes.setForm('rival');
    expect(modes.workOf('firing')?.models).toEqual([modes.rival!.digest]);
  });

  it('reach the table of units, with notes and forced units by place', async () => {
    const { models } = snapshot;
    const newest = models.filter(({ gated }) => gated).sort((a, b) => b.at.localeCompare(a.at))[0];
    const note = { id: 1, text: '', bookmark: true, at: newest.at, edited: undefined };
    const scene = sceneOf({ notes: [{ ...note, subject: { kind: 'model', key: newest.digest, unit: 'L1U2' } }] });
    const { modes } = await look(scene);
    const units = new UnitsState(scene.app, modes);
    ends.push(effectRoot(() => void units.measures.length));
    await settled();
    expect(units.table!.labels).toHaveLength(96);
    expect([...units.noted]).toEqual([66]);
    modes.force('L1U0', 'open');
    expect([...units.forced]).toEqual([[64, 'open']]);
    units.pointing.onSelect(66);
    expect(scene.app.selection.unit).toBe('L1U2');
    const active = new Uint8Array(96).fill(1, 0, 10);
    units.light({ contender: 'soft', active, outputs: new Float32Array(96) });
    expect(units.kept).toBe(active);
  });
});

describe('accuracies along the path', () => {
  it('answer the newest question, against the beginning of the path, which is asked for once', async () => {
    const asked: number[] = [];
    const path = new PathAccuracy(
      () =>
        ({
          pathAccuracy: ({ share, angles }: { share: number; angles: number[] }) => {
            asked.push(share);
            return Promise.resolve({ angles, accuracy: Float64Array.from(angles, (angle) => 90 + share - angle / 45), images: 800 });
          },
        }) as unknown as Scene['app']['host'],
      (error) => {
        throw error;
      },
    );
    const request = { data: { source: 'mnist' }, model: 'm', form: 'soft' as const, angles: [45, 0], images: 1000 };
    for (const share of [0.9, 0.8, 0.7]) path.ask({ ...request, share });
    await settled();
    expect(asked).toEqual([0.9, 0, 0.7]);
    const shown = shownAccuracies(path.found, undefined, 0.7);
    expect(shown.map(({ angle, value }) => [angle, value])).toEqual([
      [45, 89.7],
      [0, 90.7],
    ]);
    expect(shown.map(({ change }) => change.toFixed(6))).toEqual(['0.700000', '0.700000']);
    expect(shown[0].about).toContain('first 800 test images');
  });

  it('are never those of the network before', async () => {
    const answers: ((accuracy: number | Error) => void)[] = [];
    const heard: unknown[] = [];
    const path = new PathAccuracy(
      () =>
        ({
          pathAccuracy: ({ share, angles, images }: { share: number; angles: number[]; images: number }) =>
            new Promise((resolve, reject) => {
              const answer = (accuracy: number | Error): void =>
                accuracy instanceof Error ? reject(accuracy) : resolve({ angles, images, accuracy: angles.map(() => accuracy) });
              if (share === 0) answer(50);
              else answers.push(answer);
            }),
        }) as unknown as Scene['app']['host'],
      (error) => heard.push(error),
    );
    const request = { data: { source: 'mnist' }, share: 1, form: 'soft' as const, angles: [45], images: 1000 };
    const shown = (): number | undefined => path.found?.shown[0];
    path.ask({ ...request, model: 'a' });
    answers[0](91);
    await expect.poll(shown).toBe(91);
    path.ask({ ...request, model: 'a', share: 0.9 });
    expect(shown()).toBe(91);
    path.ask({ ...request, model: 'b' });
    expect(shown()).toBeUndefined();
    answers[1](90); // of the first, overtaken
    await expect.poll(() => answers.length).toBe(3);
    expect(shown()).toBeUndefined();
    answers[2](92);
    await expect.poll(shown).toBe(92);
    path.ask({ ...request, model: 'b', share: 0.5 });
    answers[3](new Error('the engine ended'));
    await expect.poll(() => heard).toHaveLength(1);
    expect(shown()).toBeUndefined();
  });

  it('ask for the base at the beginning, for the rival at its end, for nothing without a mode', async () => {
    const { modes } = await look(sceneOf());
    modes.setForm('base');
    expect(pathRequest(modes)).toMatchObject({ model: modes.mode!.digest, share: 0, angles: [45, 0] });
    modes.setForm('rival');
    modes.setShare(0.3);
    expect(pathRequest(modes)).toMatchObject({ model: modes.rival!.digest, share: 1 });
    modes.setForm('hard');
    expect(pathRequest(modes)).toMatchObject({ model: modes.mode!.digest, share: 0.3, form: 'hard', images: 10_000 });
    expect(pathRequest((await look(withoutModes())).modes)).toBeUndefined();
  });

  it('of forced units come from what was measured with them', () => {
    const found = { angles: [45, 0], shown: [91, 92], base: [90, 93], images: 10_000, baseImages: 10_000 };
    expect(shownAccuracies(found, { state: 'running', key: 'k' }, 1).map(({ value }) => value)).toEqual([NaN, NaN]);
    const data = Float64Array.from([88, 87]);
    const forced = {
      axes: { angle: { values: [0, 45] } },
      measures: { accuracyForced: { axes: ['angle'], unit: '%', definition: '', data } },
      facts: { images: 10_000 },
    };
    const wanted = { state: 'ready', key: 'k', findings: forced } as const;
    const shown = shownAccuracies(found, wanted, 1);
    expect(shown.map(({ angle, value, change }) => [angle, value, change])).toEqual([
      [45, 87, -3],
      [0, 88, -5],
    ]);
    // While the dial is dragged the base is measured on fewer images than the forced units were.
    const [dragged] = shownAccuracies({ ...found, images: 1000, baseImages: 1000 }, wanted, 1);
    expect(dragged).toMatchObject({ value: 87, change: NaN, about: expect.stringMatching(/10.000 test images/) as string });
    // Units are held in the mode itself.
    expect(shownAccuracies(found, wanted, 0.5)[0]).toMatchObject({ value: NaN, change: NaN });
  });
});
