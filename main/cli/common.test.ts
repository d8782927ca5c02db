/** What options mean that several commands have. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { expect, test } from 'vitest';
import { absolutePath, coresOf, dataSource } from './common.ts';

test('coresOf takes 1 to 256, written as such', () => {
  expect(['1', '2', '256'].map((text) => coresOf(text, 'train'))).toEqual([1, 2, 256]);
  for (const text of ['0', '257', '-1', '1.5', '2.0', '1e2', '0x2', '', ' 2', 'two', '99999999999999999999'])
    expect(() => coresOf(text, 'train'), text).toThrow(`train: --cores must be an integer in [1, 256], got ${JSON.stringify(text)}`);
});

test('a path means the same wherever it is given again; data sets that have names keep them', () => {
  const folder = mkdtempSync(join(tmpdir(), 'gatescope-common-'));
  const path = join(folder, 'own.npz');
  writeFileSync(path, '');
  expect(absolutePath(relative(process.cwd(), path), 'new: file', 'file')).toBe(path);
  expect(() => absolutePath('', 'new: file', 'file')).toThrow('new: file must name a file, got ""');
  expect(dataSource(relative(process.cwd(), path))).toBe(path);
  expect(['mnist', 'fashion-mnist', 'nothing/here'].map(dataSource)).toEqual(['mnist', 'fashion-mnist', 'nothing/here']);
  rmSync(folder, { recursive: true });
});
