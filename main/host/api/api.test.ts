/** Every method: refuses rubbish in words, and answers in plain data. */
import { expect, test } from 'vitest';
import { UserError } from '../../../engine/base/errors.ts';
import { packing } from '../../rpc/socketWire.ts';
import type { Method } from '../../rpc/wire.ts';
import type { HostWindow } from '../host.ts';
import type { HostApi, Work } from '../hostApi.ts';
import { brief, HostFixture, settled } from '../testing/window.ts';
import { methodsFor } from './index.ts';

const names: readonly (keyof HostApi)[] = [
  ...(['about', 'describe', 'checkDevices', 'settings', 'changeSettings'] as const),
  ...(['sessions', 'preview', 'createSession', 'openSession', 'closeSession', 'renameSession', 'noteSession'] as const),
  ...(['duplicateSession', 'trashSession', 'restoreSession', 'forgetSession', 'browse', 'saveAs', 'shareCopy'] as const),
  ...(['snapshot', 'findings', 'series', 'units', 'setView', 'addNote', 'editNote', 'removeNote', 'undo', 'redo'] as const),
  ...(['plan', 'run', 'lookUp', 'jobs', 'cancel', 'pause', 'resume', 'dismiss', 'log', 'commandLine'] as const),
  ...(['answer', 'drawImages', 'pathAccuracy', 'exportFile'] as const),
];

const context = { signal: new AbortController().signal, progress: () => undefined };

test('there is every method, and no other; each refuses rubbish, naming itself', async () => {
  await using fixture = new HostFixture();
  const window: HostWindow = { session: undefined, send: () => undefined };
  const methods = methodsFor(fixture.host, window) as unknown as Record<string, Method<unknown>>;
  expect(Object.keys(methods).sort()).toEqual([...names].sort());
  const rubbish = [undefined, null, 3, 'text', [], { nosuch: 1 }, { path: 3 }, { kind: 'nosuch' }, { job: 'x' }, { data: [] }];
  for (const name of names)
    for (const given of rubbish) {
      const error = await (async () => methods[name](given, context))().then(
        () => undefined,
        (caught: unknown) => caught,
      );
      expect(error, `${name}(${JSON.stringify(given)})`).toBeInstanceOf(UserError);
      expect((error as UserError).field.split(/[: ]/)[0]).toBe(name);
    }
});

test('what every method answers survives structured clone, wherever the window is attached', async () => {
  await using fixture = new HostFixture();
  const { api } = fixture.window();
  const window: HostWindow = { session: undefined, send: (event) => void structuredClone(event) };
  const methods = methodsFor(fixture.host, window);
  const asked = new Set<string>();
  const ask = async <Name extends keyof HostApi>(
    name: Name,
    given: Parameters<HostApi[Name]>[0],
  ): Promise<Awaited<ReturnType<HostApi[Name]>>> => {
    asked.add(name);
    const answer: unknown = await (methods[name] as unknown as Method<unknown>)(given, context);
    expect(structuredClone(answer), name).toEqual(answer);
    expect(packing().unpack(packing().pack(answer)), `${name}, packed for a socket`).toEqual(answer);
    return answer as Awaited<ReturnType<HostApi[Name]>>;
  };
  await ask('about', {});
  await ask('describe', {});
  await ask('settings', {});
  expect(await ask('changeSettings', { theme: 'dark', window: { left: 3 } })).toMatchObject({ theme: 'dark', window: { left: 3 } });
  expect(await ask('changeSettings', { window: { right: 4 } })).toMatchObject({ theme: 'dark', window: { left: 3, right: 4 } });
  const { path } = await ask('createSession', { name: 'study' });
  await api.openSession({ path });
  const source = fixture.images();
  const train: Work = { kind: 'train', parameters: brief(source) };
  await ask('plan', train);
  const job = await ask('run', train);
  await settled(api, job.id);
  const adapt: Work = {
    kind: 'train',
    base: (await ask('snapshot', {})).models[0].digest,
    parameters: { adapter: 'dopamine+context', angles: [0, 45], epochs: 2, batch: 20 },
  };
  const second = await ask('run', adapt);
  await settled(api, second.id);
  const { models, runs, results } = await ask('snapshot', {});
  const model = models[1].digest;
  const data = { source };
  await ask('plan', adapt);
  await ask('lookUp', { works: [train, adapt, { kind: 'analyse', analysis: 'firing', models: [model], data }] });
  await ask('jobs', {});
  await ask('log', { job: job.id });
  await expect(ask('pause', { job: job.id })).rejects.toThrow('pause: job must run or wait');
  await expect(ask('resume', { job: job.id })).rejects.toThrow('resume: job must not be done');
  await ask('cancel', { job: job.id });
  await ask('dismiss', { job: job.id });
  await ask('commandLine', adapt);
  await ask('findings', { key: results[0].key });
  await ask('series', { run: runs[0].key });
  const { threshold, contextual } = await ask('units', { model });
  expect([threshold.length, contextual]).toEqual([14, true]);
  await ask('setView', { name: 'train.form', value: { epochs: 3 }, label: 'Change the form' });
  const note = await ask('addNote', { subject: { kind: 'run', key: runs[0].key }, text: 'good' });
  await ask('editNote', { id: note.id, bookmark: true });
  await ask('removeNote', { id: note.id });
  await ask('undo', {});
  await ask('redo', {});
  const contenders = [
    { model, form: 'hard' },
    { model, form: 'base' },
  ] as const;
  const { answers, label } = await ask('answer', {
    data,
    image: { index: 3 },
    angle: 45,
    contenders,
    forced: [{ unit: 'L1U2', state: 'shut' }],
  });
  expect([answers.length, answers[0].active[10], label]).toEqual([2, 0, expect.any(Number)]);
  await ask('answer', { data, image: { pixels: new Float32Array(36) }, angle: 0, contenders: [{ model, form: 'soft' }], share: 0.5 });
  expect((await ask('drawImages', { data, part: 'train', indices: [0, 1], angle: 45 })).pixels).toHaveLength(72);
  await ask('pathAccuracy', { data, model: models[0].digest, share: 1, form: 'soft', angles: [0], images: 10 });
  for (const format of ['csv', 'json', 'npz'] as const) {
    await ask('exportFile', { what: 'findings', key: results[0].key, format });
    await ask('exportFile', { what: 'series', runs: [runs[0].key], format });
  }
  for (const format of ['safetensors', 'onnx', 'py'] as const) await ask('exportFile', { what: 'model', digest: model, format });
  await ask('sessions', {});
  await ask('preview', { path });
  await ask('browse', { kind: 'images', folder: fixture.folder });
  await ask('renameSession', { path, name: 'renamed' });
  await ask('noteSession', { path, text: 'noted' });
  const copy = await ask('duplicateSession', { path });
  await ask('trashSession', copy);
  await ask('restoreSession', copy);
  await ask('forgetSession', copy);
  await ask('saveAs', { path: fixture.at('saved.gatescope') });
  await ask('shareCopy', { path: fixture.at('share.gatescope') });
  await ask('closeSession', {});
  await ask('openSession', { path });
  expect(names.filter((name) => !asked.has(name))).toEqual(['checkDevices']); // takes engines that run on devices: devices.test.ts
});
