/** A protocol of three small jobs on test engines: what stays and what goes when it is interrupted, its disk fails or nobody reads it. */
import { appendFileSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import * as nodeFiles from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Cancelled, UserError } from '../../engine/base/errors.ts';
import type { Protocol } from '../../engine/protocols/protocol.ts';
import { recordingSpawn } from '../host/testing/recordingSpawn.ts';
import { runProtocol, type RunSetting } from './runProtocol.ts';

let parent: string;
let folder: string;
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'gatescope-run-'));
  folder = join(parent, 'state', 'key');
});
afterEach(() => rmSync(parent, { recursive: true }));

const walks: Protocol<{ every: number }, number[]> = {
  id: 'walks',
  parse: (options) => options as { every: number },
  run: async ({ every }, submit, onProgress) => {
    const ends: number[] = [];
    for (const seed of [0, 1, 2]) {
      const request = { kind: 'walk', parameters: { steps: 60, every, seed } };
      ends.push((await submit<{ values: Float64Array }>(request, onProgress)).values[0]);
    }
    return ends;
  },
};

/** One go at it. @returns what was presented and how it ended */
async function go(setting: Partial<RunSetting<number[]>> = {}, every = 1000) {
  const { spawn, engines } = recordingSpawn();
  const presented: number[][] = [];
  const damage: UserError[] = [];
  const error = await runProtocol(
    walks,
    { every },
    {
      cores: 2,
      folder,
      spawn,
      signal: new AbortController().signal,
      onProgress: () => undefined,
      onDamage: (problem) => damage.push(problem),
      present: async (report) => void presented.push(report),
      ...setting,
    },
  ).then(
    () => undefined,
    (caught: unknown) => caught as Error,
  );
  expect(engines.every(({ ended }) => ended !== undefined)).toBe(true);
  if (existsSync(folder)) expect(readdirSync(folder).filter((name) => !/\.(result|checkpoint)$/.test(name))).toEqual([]); // no lock, no part
  return { presented, damage, error, engines: engines.length };
}
const results = () => readdirSync(folder).filter((name) => name.endsWith('.result'));

/** Files of which those named so cannot be written any more. */
const full = (role: RegExp): NonNullable<RunSetting<number[]>['files']> => ({
  ...nodeFiles,
  open: async (path, flags) => {
    if (flags === 'wx' && role.test(String(path))) throw Object.assign(new Error('ENOSPC: no space left'), { code: 'ENOSPC' });
    return nodeFiles.open(path, flags);
  },
});

test('a finished run leaves nothing behind', async () => {
  const { presented, error } = await go();
  expect(error).toBeUndefined();
  expect(presented).toHaveLength(1);
  expect(readdirSync(join(parent, 'state'))).toEqual([]);
});

test('an interrupted one keeps what is finished, says so, and goes on from there', async () => {
  const controller = new AbortController();
  let jobs = 0;
  const first = await go({ signal: controller.signal, onProgress: ({ done }) => void (done === 60 && ++jobs === 2 && controller.abort()) });
  expect(first.error).toBeInstanceOf(Cancelled);
  expect(first.error!.message).toBe('interrupted; the same command goes on from where it was');
  expect(first.presented).toEqual([]);
  expect(results().length).toBeGreaterThan(0);
  const second = await go();
  expect(second.error).toBeUndefined();
  expect(second.presented).toEqual((await go()).presented);
});

test('one interrupted before it begins leaves no folder', async () => {
  expect((await go({ signal: AbortSignal.abort() })).error).toBeInstanceOf(Cancelled);
  expect(readdirSync(join(parent, 'state'))).toEqual([]);
});

test('what is finished is kept until the report has been read', async () => {
  const unread = new UserError('output', 'must be read to its end', 'EPIPE');
  const first = await go({ present: () => Promise.reject(unread) });
  expect(first.error).toBe(unread);
  expect(results()).toHaveLength(3);
  expect(await go()).toMatchObject({ error: undefined, engines: 0, presented: [expect.any(Array)] });
});

test('results that cannot be kept are reported all the same, and the loss after them', async () => {
  const { presented, error } = await go({ files: full(/\.result/) });
  expect(presented).toEqual((await go()).presented);
  expect(error).toBeInstanceOf(UserError);
  expect(error!.message).toMatch(/^job store: folder must have space left on its disk \(ENOSPC: no space left\), got /);
});

test('a checkpoint that cannot be kept stops the run, and what was kept stays', async () => {
  let left = 2;
  const files = full(/\.checkpoint/);
  const { open } = files;
  files.open = (path, flags) => (String(path).includes('.checkpoint') && left-- > 0 ? nodeFiles.open(path, flags) : open(path, flags));
  const { presented, error } = await go({ files }, 25);
  expect(presented).toEqual([]);
  expect(error!.message).toMatch(/^job store: folder must have space left/);
  expect(results()).toHaveLength(1);
});

test('damaged files are named and their work is done again', async () => {
  await go({ present: () => Promise.reject(new UserError('output', 'must be read', 'EPIPE')) });
  const [path] = results().map((name) => join(folder, name));
  appendFileSync(path, 'x');
  const { presented, damage, error } = await go();
  expect(error).toBeUndefined();
  expect(damage.map(({ message }) => message)).toEqual([expect.stringContaining(path)]);
  expect(presented).toEqual((await go()).presented);
});

test('a state folder that cannot be had is a mistake about --state', async () => {
  await nodeFiles.writeFile(join(parent, 'state'), '');
  const { error } = await go();
  expect(error).toBeInstanceOf(UserError);
  expect(error!.message).toMatch(/^run: --state must be a folder \(ENOTDIR.*\), got /);
});
