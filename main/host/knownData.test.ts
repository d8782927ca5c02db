/** Data by their digest: read once, known again by their files, and read again when these have changed. */
import { mkdtempSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Request } from '../../engine/contract.ts';
import { Folder } from '../store/testing/sessions.ts';
import { identifyData } from './knownData.ts';

test('a source is read once, and again when its files are others', async () => {
  using folder = new Folder();
  const data = mkdtempSync(join(tmpdir(), 'gatescope-data-'));
  const source = join(data, 'images.npz');
  writeFileSync(source, 'one');
  utimesSync(source, 1, 1);
  const session = folder.session();
  const asked: Request[] = [];
  const summary = { name: 'images', height: 2, width: 3, classes: ['a', 'b'], train: 5, test: 1 };
  const submit = async (request: Request) => {
    asked.push(request);
    return { ...summary, digest: String(asked.length).repeat(64) };
  };
  const first = { source, digest: '1'.repeat(64) };
  expect(await identifyData(session, { source }, submit)).toEqual(first);
  expect(await identifyData(session, { source }, submit)).toEqual(first);
  expect(asked).toEqual([{ kind: 'readImages', parameters: { data: { source } } }]);
  const details = { counts: { train: 5, test: 1 }, height: 2, width: 3, classes: ['a', 'b'] };
  expect(session.corpora()).toEqual([{ ...first, details }]);

  utimesSync(source, 2, 2);
  expect(await identifyData(session, { source }, submit)).toEqual({ source, digest: '2'.repeat(64) });
  expect(asked).toHaveLength(2);
  const named = { source: 'anything', digest: 'f'.repeat(64) };
  expect(await identifyData(session, named, submit)).toBe(named);
  expect(asked).toHaveLength(2);
  const moved = join(data, 'elsewhere.npz');
  renameSync(source, moved);
  const before = asked.length;
  const again = await identifyData(session, { source: moved }, async (request) => {
    await submit(request);
    return { ...summary, digest: '2'.repeat(64) };
  });
  expect(again).toEqual({ source: moved, digest: '2'.repeat(64) });
  expect(asked.length - before).toBeLessThanOrEqual(1);
  expect(session.corpora().map((corpus) => corpus.source)).toEqual([source, moved]);
  rmSync(data, { recursive: true });
});
