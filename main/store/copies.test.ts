/** Copies: the whole session at another place, and one to hand to others, in whose very bytes nothing is left of what must not go. */
import { deepStrictEqual } from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { canonicalDigest } from './canonical.ts';
import type { Session } from './session.ts';
import { bytesOf } from './tensors.ts';
import { adapted, analysis, corpusDigest, fill, Folder, foundation, training } from './testing/sessions.ts';

let folder: Folder;
beforeEach(() => void (folder = new Folder()));
afterEach(() => folder[Symbol.dispose]());

/** Everything a session lists. */
const listed = (session: Session) => [
  session.info,
  session.models(),
  session.runs(),
  session.results(),
  session.notes(),
  session.actions(),
  session.corpora(),
];

test('save as: the open session, with what is still in its log, whole and closed at another place', async () => {
  const session = folder.session();
  fill(session);
  await session.saveAs(folder.at('copy.gatescope'));
  session.rename('changed since');
  expect(folder.files().filter((name) => name.startsWith('copy'))).toEqual(['copy.gatescope']);
  const copy = folder.session('write', 'copy.gatescope');
  session.rename('study');
  expect(listed(copy)).toEqual(listed(session));
  expect(copy.check()).toEqual([]);
  deepStrictEqual(copy.loadResult(training().key), { value: training().result });
  deepStrictEqual(copy.loadCheckpoint(training(0, 'unfinished').key), session.loadCheckpoint(training(0, 'unfinished').key));
});

test('save as refuses a place that is taken or not there, and leaves nothing', async () => {
  const session = folder.session();
  fill(session);
  writeFileSync(folder.at('taken'), 'something');
  await expect(session.saveAs(folder.at('taken'))).rejects.toThrow(/^session: file must not be there yet, got ".*taken"$/);
  await expect(session.saveAs(session.path)).rejects.toThrow('session: file must not be there yet');
  await expect(session.shareCopy(folder.at('no/such/copy'))).rejects.toThrow('session: file must be in a folder that is there');
  expect(readFileSync(folder.at('taken'), 'utf8')).toBe('something');
  expect(folder.files().filter((name) => name.includes('copy') || name.includes('draft'))).toEqual([]);
});

test('save as also of a session that was opened to read', async () => {
  const session = folder.session();
  fill(session);
  session.close();
  const reader = folder.session('read');
  await reader.saveAs(folder.at('copy.gatescope'));
  expect(listed(folder.session('read', 'copy.gatescope'))).toEqual(listed(reader));
});

test('what is none of our own is not shared, and a session of which not all is known is not at all', async () => {
  const session = folder.session();
  fill(session);
  session.close();
  const database = new Database(session.path);
  database.exec(`CREATE TABLE "more ""secrets" (place TEXT); INSERT INTO "more ""secrets" VALUES ('/home/bob/hidden')`);
  await folder.session('read').shareCopy(folder.at('share.gatescope'));
  expect(readFileSync(folder.at('share.gatescope')).includes('hidden')).toBe(false);
  expect(folder.session('write', 'share.gatescope').check()).toEqual([]);
  database.pragma('user_version = 99');
  database.close();
  await expect(folder.session('read').shareCopy(folder.at('another'))).rejects.toThrow(
    'must not be of a newer version of this program to be shared',
  );
  expect(folder.files()).not.toContain('another');
});

test('a copy to share has every number and digest, but no weights, checkpoints or places: not in any byte', async () => {
  const session = folder.session('create', 'secret study.gatescope');
  fill(session);
  session.saveCheckpoint('b'.repeat(64), 1, {
    request: { kind: 'train', parameters: { stage: 'on /home/somebody/b: again' } },
    version: 1,
  });
  session.putModel(foundation(7), { label: '/home/somebody/model.npz', description: 'read from "/home/somebody/secret place/model.npz"' });
  session.act('export', { error: 'ENOSPC: no space left on device, open /home/somebody/secret place/x.csv', '/home/somebody/y': 1, y: 2 });
  session.rename('/home/somebody/secret study');
  session.addNote({ subject: { kind: 'session', key: '' }, text: 'kept in /srv/common/notes' });
  const place = '/home/somebody/findings/of mine';
  const { findings } = analysis();
  session.saveAnalysis({ ...analysis(), key: canonicalDigest('placed'), findings: { ...findings, facts: { source: place, unit: '/s' } } });
  session.setLayout('panes', { file: 'C:\\Users\\somebody\\study.gatescope' });
  session.putCorpus({ digest: corpusDigest, source: '/home/somebody/secret place/digits', details: {} });
  await session.shareCopy(folder.at('share.gatescope'));

  const bytes = readFileSync(folder.at('share.gatescope'));
  const weights = [...Object.values(foundation().base), ...Object.values(adapted().adapter!.parameters), new Float64Array([1e-300, 2])];
  for (const values of weights.filter(({ length }) => length > 1)) expect(bytes.includes(Buffer.from(bytesOf(values)))).toBe(false);
  for (const text of ['somebody', 'secret place', 'C:\\\\', 'elsewhere"}/']) expect(bytes.includes(text), text).toBe(false);
  expect(readFileSync(`${session.path}-wal`).includes('somebody')).toBe(true); // or the search finds nothing anywhere

  const share = folder.session('write', 'share.gatescope');
  expect(share.info).toMatchObject({ weights: false, name: 'secret study' });
  expect(share.check()).toEqual([]);
  const named = share.models().map(({ label, description }) => [label, description]);
  expect(named.at(-1)).toEqual(['model.npz', 'read from "model.npz"']);
  expect(share.models().slice(0, -1)).toEqual(session.models().slice(0, -1));
  expect(share.runs().slice(0, -1)).toEqual(session.runs().slice(0, -1));
  expect(share.runs().at(-1)!.label).toBe('on b: again');
  expect(share.notes()).toEqual(session.notes());
  expect(share.results().slice(0, -1)).toEqual(session.results().slice(0, -1));
  deepStrictEqual(share.result(analysis().key).findings, findings);
  deepStrictEqual(share.series(training().key), session.series(training().key));
  expect(share.corpora()).toMatchObject([{ source: 'digits' }]);
  expect(share.actions()).toMatchObject([
    { arguments: { stage: 'dopamine', folder: 'elsewhere' } },
    { arguments: { error: 'ENOSPC: no space left on device, open x.csv', 'y (2)': 1, y: 2 } },
  ]);
  expect(share.layout('panes')).toEqual({ file: 'study.gatescope' });
  const placed = share.result(canonicalDigest('placed'));
  expect(placed.findings.facts).toEqual({ source: 'of mine', unit: '/s' });
  expect(placed.row.digest).toBe(canonicalDigest(placed.findings));
  expect(share.loadCheckpoint(training(0, 'unfinished').key)).toBeUndefined();
  expect(() => share.model(canonicalDigest(adapted()))).toThrow(
    /must hold the array [0-9a-f]{12} \(a copy made for sharing has no weights\)/,
  );
});

test('in a shared copy the trainings can be run again, to the digests that are there', async () => {
  const session = folder.session();
  fill(session);
  await session.shareCopy(folder.at('share.gatescope'));
  const share = folder.session('write', 'share.gatescope');
  const { key, request, version, result } = training();
  const [before] = share.runs();
  expect(share.loadResult(key)).toBeUndefined();
  share.saveTraining({ key, request, version, result, seconds: 1, provenance: {} });
  deepStrictEqual(share.loadResult(key), { value: result });
  deepStrictEqual(share.model(canonicalDigest(adapted())), adapted());
  expect(share.runs()[0].digest).toBe(before.digest);
  expect(share.check()).toEqual([]);
});
