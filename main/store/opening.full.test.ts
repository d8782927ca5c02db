/** Opening session files, at length: two thousand ways to damage a small one, and a large one, of which little is read. */
import { readFileSync, writeFileSync } from 'node:fs';
import Database from 'better-sqlite3';
import { expect, test } from 'vitest';
import { DamagedSession } from './problems.ts';
import { CHUNK_BYTES } from './tensors.ts';
import { damageTest } from './testing/damage.ts';
import { analysis, Folder } from './testing/sessions.ts';

damageTest('a file damaged in any way is refused or opens, and is never changed', 2000);

test('opening reads little of a large file, whose numbers lie in pieces', () => {
  using folder = new Folder();
  const session = folder.session();
  const data = new Uint8Array(CHUNK_BYTES + 5000).fill(7);
  session.saveAnalysis({ ...analysis(), key: 'large', findings: { data } });
  const { data: read } = (session.loadResult('large') as { value: { data: Uint8Array } }).value;
  expect(Buffer.compare(read, data)).toBe(0);
  session.close();
  const database = new Database(session.path, { readonly: true });
  const pieces = database.prepare('SELECT length(content) FROM tensor_chunks WHERE length(content) > 100 ORDER BY position').pluck().all();
  database.close();
  expect(pieces).toEqual([CHUNK_BYTES, 5000]);

  // A byte in the middle of the large array: nobody has to find it before anybody asks for that array.
  const bytes = readFileSync(session.path);
  bytes[40 * 2 ** 20 + 1000] ^= 1;
  writeFileSync(session.path, bytes);
  const again = folder.session('read');
  expect(again.results()).toHaveLength(1);
  expect(() => again.loadResult('large')).toThrow(DamagedSession);
  expect(again.check()).toHaveLength(2);
});
