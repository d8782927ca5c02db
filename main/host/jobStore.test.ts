/** Both job stores, keys, and what a folder goes through: damage, full disks, two processes. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import * as nodeFiles from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { UserError } from '../../engine/base/errors.ts';
import type { FileJobStoreOptions } from './fileJobStore.ts';
import type { JobStore } from './jobStore.ts';
import { FileJobStore, MemoryJobStore, requestKey } from './jobStore.ts';

const key = requestKey({ kind: 'walk', parameters: { seed: 0 } });
const state = { step: 3, values: new Float32Array([1, -0, NaN, Infinity]), nested: [{ big: 12n, none: undefined }] };

let folder: string;
let open: FileJobStore[];
let problems: UserError[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gatescope-store-'));
  open = [];
  problems = [];
});
afterEach(async () => {
  for (const store of open) await store.close();
  rmSync(folder, { recursive: true });
});

async function fileStore(options: FileJobStoreOptions = {}, directory = folder): Promise<FileJobStore> {
  const store = await FileJobStore.open(directory, { onProblem: (problem) => problems.push(problem), ...options });
  open.push(store);
  return store;
}

/** Files where one function fails with a code once told to. */
function failing(name: 'writeFile' | 'sync' | 'rename' | 'open', code: string) {
  const failure = Object.assign(new Error(`${code}: no, ${name}`), { code });
  const switches = { on: false };
  const fail = async (): Promise<never> => Promise.reject(failure);
  const files: NonNullable<FileJobStoreOptions['files']> = {
    ...nodeFiles,
    open: async (path, flags) => {
      if (switches.on && name === 'open') return fail();
      const handle = await nodeFiles.open(path, flags);
      if (switches.on && (name === 'writeFile' || name === 'sync')) handle[name] = fail;
      return handle;
    },
    rename: (from, to) => (switches.on && name === 'rename' ? fail() : nodeFiles.rename(from, to)),
  };
  return { files, switches };
}

const stores: [string, () => Promise<JobStore>][] = [
  ['MemoryJobStore', async () => new MemoryJobStore()],
  ['FileJobStore', () => fileStore()],
];
describe.each(stores)('%s', (_name, make) => {
  test('gives back what was saved, a result ends its checkpoint, and clear forgets', async () => {
    const store = await make();
    expect(await store.loadCheckpoint(key)).toBeUndefined();
    expect(await store.loadResult(key)).toBeUndefined();
    await store.saveCheckpoint(key, { step: 1 });
    await store.saveCheckpoint(key, state);
    expect(await store.loadCheckpoint(key)).toEqual({ value: state });
    await store.saveResult(key, undefined);
    expect(await store.loadResult(key)).toEqual({ value: undefined });
    expect(await store.loadCheckpoint(key)).toBeUndefined();
    await store.clear();
    expect(await store.loadResult(key)).toBeUndefined();
  });
});

describe('FileJobStore', () => {
  test('survives its process', async () => {
    const store = await fileStore();
    await store.saveCheckpoint(key, state);
    await store.close();
    expect(readdirSync(folder)).toEqual([`${key}.checkpoint`]);
    expect(await (await fileStore()).loadCheckpoint(key)).toEqual({ value: state });
    expect(problems).toEqual([]);
  });

  test('trusts no file that was cut short, at any length, and names it', async () => {
    const store = await fileStore();
    await store.saveCheckpoint(key, state);
    const path = join(folder, `${key}.checkpoint`);
    const whole = readFileSync(path);
    for (let length = whole.length - 1; length >= 0; length--) {
      truncateSync(path, length);
      expect(await store.loadCheckpoint(key), `${length} bytes`).toBeUndefined();
    }
    expect(problems).toHaveLength(whole.length);
    for (const problem of problems) expect(problem.message).toContain(path);
    writeFileSync(path, whole);
    expect(await store.loadCheckpoint(key)).toEqual({ value: state });
  });

  test('trusts no file with a changed byte, a byte too many, or another name', async () => {
    const store = await fileStore();
    await store.saveCheckpoint(key, state);
    const path = join(folder, `${key}.checkpoint`);
    const whole = readFileSync(path);
    for (let at = 0; at < whole.length; at++) {
      const damaged = Buffer.from(whole);
      damaged[at] ^= 1 << (at % 8);
      writeFileSync(path, damaged);
      expect(await store.loadCheckpoint(key), `byte ${at}`).toBeUndefined();
    }
    writeFileSync(path, Buffer.concat([whole, Buffer.from([0])]));
    expect(await store.loadCheckpoint(key)).toBeUndefined();
    writeFileSync(path, whole);
    renameSync(path, join(folder, `${key}.result`));
    expect(await store.loadResult(key)).toBeUndefined();
    expect(problems.at(-1)!.message).toMatch(/must be whole \(its checksum does not hold\) and was ignored, got ".*\.result"$/);
  });

  const failures = [
    ['writeFile', 'ENOSPC', /must have space left on its disk/],
    ['sync', 'EIO', /must be on a working disk/],
    ['rename', 'ENOSPC', /must have space left on its disk/],
    ['open', 'EROFS', /must not be on a read-only file system/],
    ['open', 'EACCES', /must be open to writing by this user/],
  ] as const;
  test.each(failures)('%s failing with %s keeps the older checkpoint and says what is wrong', async (name, code, reason) => {
    const { files, switches } = failing(name, code);
    const store = await fileStore({ files });
    await store.saveCheckpoint(key, { step: 1 });
    switches.on = true;
    const error = await store.saveCheckpoint(key, { step: 2 }).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(UserError);
    expect((error as UserError).message).toMatch(reason);
    expect((error as UserError).message).toContain(folder);
    await expect(store.saveResult(key, 'result')).rejects.toThrow(UserError);
    expect(readdirSync(folder).filter((file) => !file.startsWith('lock-'))).toEqual([`${key}.checkpoint`]);
    expect(await store.loadCheckpoint(key)).toEqual({ value: { step: 1 } });
    switches.on = false;
    await store.saveCheckpoint(key, { step: 2 });
    expect(await store.loadCheckpoint(key)).toEqual({ value: { step: 2 } });
  });

  test('says so when it is given a file, and clears away what an interrupted write left', async () => {
    const path = join(folder, 'file');
    writeFileSync(path, '');
    await expect(fileStore({}, path)).rejects.toThrow(/job store: folder must be a folder/);
    await expect(fileStore({}, join(path, 'below'))).rejects.toThrow(/job store: folder must be a folder/);
    writeFileSync(join(folder, `${key}.checkpoint.1.part`), 'half');
    await fileStore();
    expect(readdirSync(folder).filter((file) => file.endsWith('.part'))).toEqual([]);
  });

  test('is for one process at a time, and takes over from dead ones', async () => {
    const store = await fileStore();
    await expect(fileStore()).rejects.toThrow(`must not be in use (process ${process.pid} has it open)`);
    await store.close();

    const script = `import { FileJobStore } from ${JSON.stringify(new URL('fileJobStore.ts', import.meta.url).href)};
      try { await FileJobStore.open(${JSON.stringify(folder)}); console.log('open'); setInterval(() => {}, 1000); }
      catch (error) { console.log(error.message); }`;
    const other = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    expect(String((await once(other.stdout, 'data'))[0])).toBe('open\n');
    await expect(fileStore()).rejects.toThrow(`process ${other.pid} has it open`);
    other.kill('SIGKILL');
    await once(other, 'exit');
    expect(readdirSync(folder)).toHaveLength(1);
    // A lock of a dead process with the pid of a living one: of ours, and of our parent.
    if (process.platform === 'linux') for (const pid of [process.pid, process.ppid]) writeFileSync(join(folder, `lock-${pid}-1`), '');
    await fileStore();
    expect(readdirSync(folder)).toHaveLength(1);
    const refused = execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
    expect(refused).toContain(`process ${process.pid} has it open`);
  });
});

describe('requestKey', () => {
  const of = (parameters: unknown, edition?: string): string => requestKey({ kind: 'a', parameters }, edition);

  test('is the same for what means the same', () => {
    expect(of({ a: 1, b: { c: [2], d: 'x' } })).toBe(of({ b: { d: 'x', c: [2], e: undefined }, a: 1 }));
    const floats = new Float32Array([9, 1, 2, 9]);
    expect(of(floats.subarray(1, 3))).toBe(of(new Float32Array([1, 2])));
    expect(of({})).toMatch(/^[0-9a-f]{64}$/);
  });

  test('differs for what does not', () => {
    const different = [
      ...[undefined, null, false, true, 0, -0, 1, '1', 1n, NaN, '', [], {}, [[]], [undefined], [1], ['1'], [1, 2], [12]],
      ...[{ a: 1 }, { a: '1' }, { a: { b: 1 } }, { 'a.b': 1 }, ['ab', 'c'], ['a', 'bc'], 'é', 'e\u0301'],
      ...[new Float32Array(1), new Int32Array(1), new Float32Array(2), new Uint8Array([1]), new Uint8Array([2])],
    ];
    const keys = [...different.map((parameters) => of(parameters)), requestKey({ kind: 'b', parameters: {} }), of({}, 'edition 2')];
    expect(new Set(keys).size).toBe(keys.length);
  });

  test('does not depend on the way through structured clone or JSON, nor on the order of properties', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const plain: unknown = JSON.parse(JSON.stringify(value));
        expect(of(structuredClone(plain))).toBe(of(plain));
        expect(of(reversed(plain))).toBe(of(plain));
      }),
      { seed: 1, numRuns: 200 },
    );
  });

  test('refuses what is not plain data, saying where', () => {
    expect(() => of({ a: [0, () => 0] })).toThrow('requestKey: request[2].a[1] must be plain data, got a function');
    expect(() => of({ when: new Date(0) })).toThrow('requestKey: request[2].when must be plain data, got a Date');
  });
});

function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([name, entry]) => [name, reversed(entry)]),
  );
}

test('a disk that is really full', { skip: !canMount() }, () => {
  // The store's own files on a tmpfs of 64 KiB, in a mount namespace of their own.
  const script = `import { FileJobStore } from ${JSON.stringify(new URL('fileJobStore.ts', import.meta.url).href)};
    const store = await FileJobStore.open(${JSON.stringify(folder)});
    await store.saveCheckpoint('a', new Uint8Array(20000));
    try { await store.saveCheckpoint('a', new Uint8Array(60000)); console.log('stored'); } catch (error) { console.log(error.name, error.message); }
    console.log((await store.loadCheckpoint('a')).value.length);`;
  const command = `mount -t tmpfs -o size=64k tmpfs "${folder}" && exec "${process.execPath}" --input-type=module -e "$SCRIPT"`;
  const said = execFileSync('unshare', ['-m', 'sh', '-c', command], { encoding: 'utf8', env: { ...process.env, SCRIPT: script } });
  expect(said).toMatch(/^UserError job store: folder must have space left on its disk .*\n20000\n$/);
});

function canMount(): boolean {
  try {
    execFileSync('unshare', ['-m', 'sh', '-c', 'mount -t tmpfs tmpfs "$0"', tmpdir()], {
      stdio: 'ignore',
    });
    return true;
  } catch {
    return false;
  }
}
