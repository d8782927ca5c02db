/** Copies: the whole session at another place, and one to hand to others, in whose very bytes nothing is left of what must not go. */
import { deepStrictEqual } from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { canonicalDigest } from './canonical.ts';
import type { Session } from './session.ts';
import { bytesOf } from './tensors.ts';
import { adapted, analysis, fill, Folder, foundation, training } from './testing/sessions.ts';

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
  expect(folder.files().filter((name) => name.includes('copy') || name.includes('-new'))).toEqual([]);
});

test('save as also of a session that was opened to read', async () => {
  const session = folder.session();
  fill(session);
  session.close();
  const reader = folder.session('read');
  await reader.saveAs(folder.at('copy.gatescope'));
  expect(listed(folder.session('read', 'copy.gatescope'))).toEqual(listed(reader));
});

test('a copy to share has every number and digest, but no weights, checkpoints or places: not in any byte', async () => {
  const session = folder.session('create', 'secret study.gatescope');
  fill(session);
  const place = '/home/somebody/findings/of mine';
  const { findings } = analysis();
  session.saveAnalysis({ ...analysis(), key: canonicalDigest('placed'), findings: { ...findings, facts: { source: place, unit: '/s' } } });
  session.setLayout('panes', { file: 'C:\\Users\\somebody\\study.gatescope' });
  await session.shareCopy(folder.at('share.gatescope'));

  const bytes = readFileSync(folder.at('share.gatescope'));
  const weights = [...Object.values(foundation().base), ...Object.values(adapted().adapter!.parameters), new Float64Array([1e-300, 2])];
  for (const values of weights.filter(({ length }) => length > 1)) expect(bytes.includes(Buffer.from(bytesOf(values)))).toBe(false);
  for (const text of ['somebody', 'secret place', 'C:\\\\', 'elsewhere"}/']) expect(bytes.includes(text), text).toBe(false);
  expect(readFileSync(`${session.path}-wal`).includes('somebody')).toBe(true); // or the search finds nothing anywhere

  const share = folder.session('write', 'share.gatescope');
  expect(share.info).toMatchObject({ weights: false, name: 'secret study' });
  expect(share.check()).toEqual([]);
  expect(share.models()).toEqual(session.models());
  expect(share.runs()).toEqual(session.runs());
  expect(share.notes()).toEqual(session.notes());
  expect(share.results().slice(0, -1)).toEqual(session.results().slice(0, -1));
  deepStrictEqual(share.result(analysis().key).findings, findings);
  deepStrictEqual(share.series(training().key), session.series(training().key));
  expect(share.corpora()).toMatchObject([{ source: 'digits' }]);
  expect(share.actions()).toMatchObject([{ arguments: { stage: 'dopamine', folder: 'elsewhere' } }]);
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
  const { key, request, result } = training();
  const [before] = share.runs();
  expect(share.loadResult(key)).toBeUndefined();
  share.saveTraining({ key, request, result, seconds: 1, provenance: {} });
  deepStrictEqual(share.loadResult(key), { value: result });
  deepStrictEqual(share.model(canonicalDigest(adapted())), adapted());
  expect(share.runs()[0].digest).toBe(before.digest);
  expect(share.check()).toEqual([]);
});

test('a copy to a folder that is in the way of the draft is refused', async () => {
  const session = folder.session();
  mkdirSync(folder.at('copy-new'));
  await expect(session.saveAs(folder.at('copy'))).rejects.toThrow();
  expect(folder.files()).not.toContain('copy');
});
