/** Both stores of the pool, with what a kind of job says is kept of it. */
import { deepStrictEqual } from 'node:assert/strict';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { JobKind, Keeps } from '../../engine/contract.ts';
import { applicationVersion } from '../store/application.ts';
import { adapted, analysis, Folder, training } from '../store/testing/sessions.ts';
import { MemoryJobStore, type JobStore } from './jobStore.ts';
import { requestKey } from './requestKey.ts';
import { SessionJobStore } from './sessionJobStore.ts';

let folder: Folder;
beforeEach(() => void (folder = new Folder()));
afterEach(() => folder[Symbol.dispose]());

const kind = (id: string, keeps: Keeps): JobKind => ({
  id,
  version: 3,
  keeps,
  parse: (parameters) => parameters,
  run: async () => undefined,
});
const kinds = [kind('walk', 'findings'), kind('train', 'training'), kind('firing', 'findings'), kind('look', 'nothing')];

const request = { kind: 'walk', parameters: { seed: 0 } };
const key = requestKey(request);
const state = { step: 3, values: new Float32Array([1, -0, NaN, Infinity]), nested: [{ big: 12n, none: undefined }] };
const finished = { request, seconds: 2, threads: 1 };

const stores: [string, () => JobStore][] = [
  ['MemoryJobStore', () => new MemoryJobStore()],
  ['SessionJobStore', () => new SessionJobStore(folder.session(), kinds)],
];
describe.each(stores)('%s', (_name, make) => {
  test('gives back what was saved, and a result ends its checkpoint', async () => {
    const store = make();
    expect(await store.loadCheckpoint(key)).toBeUndefined();
    expect(await store.loadResult(key)).toBeUndefined();
    await store.saveCheckpoint(key, { step: 1 }, request);
    await store.saveCheckpoint(key, state, request);
    deepStrictEqual(await store.loadCheckpoint(key), { value: state });
    await store.saveResult({ ...finished, key, result: { values: state.values } });
    deepStrictEqual(await store.loadResult(key), { value: { values: state.values } });
    expect(await store.loadCheckpoint(key)).toBeUndefined();
    await store.saveResult({ ...finished, key, result: undefined });
    expect(await store.loadResult(key)).toEqual({ value: undefined });
  });
});

describe('SessionJobStore', () => {
  test('keeps a training as a run with its model, also while it is under way', async () => {
    const session = folder.session();
    const store = new SessionJobStore(session, kinds);
    const done = training(1);
    await store.saveCheckpoint(done.key, state, done.request);
    expect(session.runs()).toMatchObject([{ key: done.key, state: 'unfinished', label: 'dopamine' }]);
    await store.saveResult({ ...done, seconds: 2, threads: 2 });
    expect(session.runs()).toMatchObject([{ key: done.key, state: 'done', seconds: 2 }]);
    expect(session.runs()[0].provenance).toMatchObject({ threads: 2, application: applicationVersion, node: process.version });
    expect(session.runs()[0].provenance.onnxruntime).toMatch(/^\d+\.\d+\.\d+/);
    expect(session.runs()[0].version).toBe(kinds.find(({ id }) => id === 'train')!.version);
    expect(session.models().map(({ label }) => label)).toEqual(['foundation', 'dopamine']);
    session.close();
    const later = new SessionJobStore(folder.session('write'), kinds);
    deepStrictEqual(await later.loadResult(done.key), { value: done.result });
  });

  test('keeps findings as a result of the version of their kind', async () => {
    const session = folder.session();
    const { findings, parameters } = analysis(1);
    const asked = { kind: 'firing', parameters };
    await new SessionJobStore(session, kinds).saveResult({ key, request: asked, result: findings, seconds: 1, threads: 2 });
    expect(session.results()).toMatchObject([
      { key, analysis: 'firing', version: 3, seed: 1, models: [{ label: 'base' }, { label: 'mode' }] },
    ]);
    deepStrictEqual(session.model(session.models()[1].digest), adapted(1));
    deepStrictEqual(session.request(key), asked);
  });

  test('keeps nothing of what is true here and now, and of kinds it does not know', async () => {
    const session = folder.session();
    const store = new SessionJobStore(session, kinds);
    for (const id of ['look', 'unheard of']) {
      const asked = { kind: id, parameters: {} };
      await store.saveCheckpoint(key, state, asked);
      expect(await store.loadCheckpoint(key)).toBeDefined();
      await store.saveResult({ key, request: asked, result: 1, seconds: 0, threads: 1 });
      expect(await store.loadResult(key)).toBeUndefined();
      expect(await store.loadCheckpoint(key)).toBeUndefined();
    }
    expect([session.runs(), session.results()]).toEqual([[], []]);
  });
});
