/** What a session keeps and gives back: models, runs, results, notes, the log; after it was closed, and in another file. */
import { deepStrictEqual } from 'node:assert/strict';
import Database from 'better-sqlite3';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { UserError } from '../../engine/base/errors.ts';
import { canonicalDigest } from './canonical.ts';
import type { Session } from './session.ts';
import { plainData } from './testing/plainData.ts';
import { adapted, analysis, corpusDigest, fill, Folder, foundation, training } from './testing/sessions.ts';

let folder: Folder;
beforeEach(() => void (folder = new Folder()));
afterEach(() => folder[Symbol.dispose]());

const clock = () => new Date('2026-03-01T12:00:00Z');
/** The session closed and opened again. */
const reopened = (session: Session) => {
  session.close();
  return folder.session('read');
};

/** As any SQLite browser has them. */
function readRows(path: string, sql: string): Record<string, unknown>[] {
  const database = new Database(path, { readonly: true });
  try {
    return database.prepare<[], Record<string, unknown>>(sql).all();
  } finally {
    database.close();
  }
}

test('a session is a single file with a name, and knows who made it', () => {
  const session = folder.session('create', 'my study.gatescope', { clock });
  expect(session.info).toMatchObject({ name: 'my study', created: '2026-03-01T12:00:00.000Z', schema: 2, weights: true });
  expect(session.info.uuid).toMatch(/^[0-9a-f-]{36}$/);
  expect(session.info.application).toMatch(/^\d+\.\d+\.\d+$/);
  session.rename('another');
  expect(session.info.name).toBe('another');
  session.close();
  session.close(); // twice is once
  expect(folder.files()).toEqual(['my study.gatescope']);
});

describe('a training', () => {
  const { key, request, version, result } = training(3);

  test('comes back bit for bit, with its models, its series and what was asked', () => {
    const session = folder.session('create', undefined, { clock });
    session.saveTraining({ key, request, version, result, seconds: 1.5, provenance: { threads: 2 } });
    const again = reopened(session);
    deepStrictEqual(again.loadResult(key), { value: result });
    deepStrictEqual(again.request(key), request);
    const [base, mode] = [canonicalDigest(foundation(3)), canonicalDigest(adapted(3))];
    expect(again.models()).toMatchObject([
      { digest: base, kind: 'foundation', label: 'foundation', angles: [0, 45], seed: 3, base: undefined, adapter: undefined },
      { digest: mode, kind: 'adapted', label: 'dopamine', widths: [4, 3, 2], base, adapter: 'gain', adapterAngles: [45] },
    ]);
    deepStrictEqual(again.model(mode), adapted(3));
    expect(again.runs()).toEqual([
      {
        key,
        kind: 'train',
        label: 'dopamine',
        seed: 3,
        state: 'done',
        at: '2026-03-01T12:00:00.000Z',
        model: mode,
        corpus: corpusDigest,
        parameters: 3,
        seconds: 1.5,
        digest: canonicalDigest(result),
        provenance: { threads: 2 },
        version: 2,
        outdated: false,
      },
    ]);
    expect(again.runs({ train: 3, firing: 2 })[0].outdated).toBe(true);
    expect(again.runs({ train: 2 })[0].outdated).toBe(false);
    const { loss, temperature } = training(3).result.series as Record<string, { values: Float32Array }>;
    deepStrictEqual(again.series(key), [
      { name: 'loss', unit: 'nats', values: loss.values },
      { name: 'temperature', unit: '', values: temperature.values },
    ]);
    expect(again.corpora()).toEqual([{ digest: corpusDigest, source: '/home/somebody/secret place/digits', details: {} }]);
    expect(again.check()).toEqual([]);
  });

  test('under way is listed with its checkpoint, which goes when it is done', () => {
    const session = folder.session();
    const state = { step: 3, values: new Float32Array([1, -0, NaN, Infinity]), nested: [{ big: 12n, none: undefined }] };
    session.saveCheckpoint(key, { step: 1 }, { request, version });
    session.saveCheckpoint(key, state, { request, version });
    expect(session.runs()).toMatchObject([{ key, state: 'unfinished', label: 'dopamine', seed: 3, model: undefined }]);
    expect(session.loadResult(key)).toBeUndefined();
    deepStrictEqual(session.loadCheckpoint(key), { value: state });
    session.saveTraining({ key, request, version, result, seconds: 1, provenance: {} });
    expect(session.runs()).toMatchObject([{ key, state: 'done' }]);
    expect(session.loadCheckpoint(key)).toBeUndefined();
    session.saveCheckpoint(key, state, { request, version }); // late
    expect(session.runs()).toMatchObject([{ key, state: 'done' }]);
  });

  test('arrays are stored once, with the shapes they have in the model', () => {
    const session = folder.session();
    session.saveTraining({ key, request, version, result, seconds: 1, provenance: {} });
    const before = session.models().length;
    session.saveTraining({ ...training(3, 'again'), seconds: 1, provenance: {} });
    expect(session.models()).toHaveLength(before);
    const { path } = session;
    session.close();
    const rows = readRows(path, 'SELECT name, shape, dtype, bytes FROM model_tensors JOIN tensors ON digest = tensor');
    expect(rows).toContainEqual({ name: 'layers.0.weight', shape: '[4,3]', dtype: 'F32', bytes: 48 });
    expect(rows).toContainEqual({ name: 'layers.0.bias', shape: '[3]', dtype: 'F32', bytes: 12 });
  });
});

describe('an analysis', () => {
  const finished = analysis(1);
  const { key, findings, parameters } = finished;

  test('comes back bit for bit, with the models it is about', () => {
    const session = folder.session('create', undefined, { clock });
    session.saveAnalysis(finished);
    const again = reopened(session);
    const row = {
      key,
      analysis: 'firing',
      version: 1,
      digest: canonicalDigest(findings),
      at: '2026-03-01T12:00:00.000Z',
      seed: 1,
      corpus: corpusDigest,
      seconds: 0.5,
      provenance: { threads: 2 },
      models: [
        { digest: canonicalDigest(foundation(1)), label: 'base' },
        { digest: canonicalDigest(adapted(1)), label: 'mode' },
      ],
      languageModels: [],
      pairSets: [],
      outdated: false,
    };
    expect(again.results()).toEqual([row]);
    deepStrictEqual(again.result(key), { row, findings });
    deepStrictEqual(again.loadResult(key), { value: findings });
    deepStrictEqual(again.request(key), { kind: 'firing', parameters });
    expect(again.models().map(({ label }) => label)).toEqual(['base', 'mode']);
    expect(again.check()).toEqual([]);
  });

  test('has measures in the shape of their axes', () => {
    const session = folder.session();
    session.saveAnalysis(finished);
    session.close();
    const shapes = readRows(session.path, `SELECT shape FROM tensors WHERE digest NOT IN (SELECT tensor FROM model_tensors)`);
    expect(shapes.map(({ shape }) => shape).sort()).toEqual(['[2,3]', '[2]', '[]']);
  });

  test('gives the same digests in another file', () => {
    const sessions = ['a.gatescope', 'b.gatescope'].map((name) => folder.session('create', name));
    for (const session of sessions) fill(session, 5);
    const [a, b] = sessions.map((session) =>
      [session.results(), session.runs(), session.models()].map((rows) => rows.map(({ digest }) => digest)),
    );
    expect(a).toEqual(b);
  });

  test('of an older version stays, marked, beside the newer one', () => {
    const session = folder.session();
    session.saveAnalysis(finished);
    session.saveAnalysis({ ...finished, key: canonicalDigest('newer'), version: 2 });
    expect(session.results({ firing: 2, other: 7 }).map(({ version, outdated }) => [version, outdated])).toEqual([
      [1, true],
      [2, false],
    ]);
    expect(session.result(key, { firing: 2 }).row.outdated).toBe(true);
  });

  test('that is saved again takes the place of the one before', () => {
    const session = folder.session();
    session.addNote({ subject: { kind: 'session', key: '' }, text: 'first' });
    session.saveAnalysis(finished);
    const note = session.addNote({ subject: { kind: 'result', key }, text: 'look' });
    session.saveAnalysis({ ...finished, seconds: 9 });
    expect(session.results()).toMatchObject([{ key, seconds: 9, models: [{}, {}] }]);
    expect(session.notes()).toContainEqual(note);
  });

  test('is refused while it is not one', () => {
    expect(() => folder.session().result('0'.repeat(64))).toThrow(
      /^session: file must hold the result 000000000000, got ".*study.gatescope"$/,
    );
  });
});

test('any plain data comes back, as findings, as the rest of a training, and as a checkpoint', () => {
  const session = folder.session();
  let n = 0;
  fc.assert(
    fc.property(plainData, (value) => {
      const key = canonicalDigest(['any', n++]);
      session.saveAnalysis({ key, analysis: 'any', version: 1, parameters: value, findings: { value } });
      deepStrictEqual(session.loadResult(key), { value: { value } });
      deepStrictEqual(session.request(key), { kind: 'any', parameters: value });
      const run = canonicalDigest(['run', n]);
      session.saveTraining({
        key: run,
        request: { kind: 'any', parameters: {} },
        version: 1,
        result: { value },
        seconds: 0,
        provenance: {},
      });
      deepStrictEqual(session.loadResult(run), { value: { value } });
      session.saveCheckpoint(key, value);
      deepStrictEqual(session.loadCheckpoint(key), { value });
    }),
    { seed: 1, numRuns: 40 },
  );
  expect(session.check()).toEqual([]);
});

test('a report of a protocol is a result like others, and stays as it is when it is made again', () => {
  let now = 0;
  const session = folder.session('create', undefined, { clock: () => new Date(now++) });
  const { findings } = analysis();
  const report = (found = findings) => {
    session.saveReport('ab'.repeat(32), 'dopamine', 1, found, { seeds: [0] });
    return session.results()[0];
  };
  const first = report();
  expect(report()).toEqual(first);
  expect(report({ ...findings, facts: { n: 11 } })).not.toEqual(first);
  expect(session.results()).toMatchObject([{ key: 'ab'.repeat(32), analysis: 'dopamine', version: 1, models: [] }]);
  deepStrictEqual(session.request('ab'.repeat(32)), { kind: 'dopamine', parameters: { seeds: [0] } });
});

test('a model from elsewhere is kept under its label, and a wrong one refused', () => {
  const session = folder.session();
  const digest = session.putModel(adapted(), { label: 'mine', description: 'from a paper' });
  expect(session.models().at(-1)).toMatchObject({ digest, label: 'mine', description: 'from a paper' });
  expect(() => session.putModel({ ...foundation(), base: {} }, { label: 'none' })).toThrow('session: model: base');
  expect(() => session.model('0'.repeat(64))).toThrow('session: file must hold the model 000000000000');
  expect(session.models()).toHaveLength(2);
});

test('a data set is known again by its files', () => {
  const session = folder.session();
  const details = { counts: { train: 60_000, test: 10_000 }, height: 28, width: 28, classes: ['0', '1'] };
  session.putCorpus({ digest: corpusDigest, source: 'mnist', details }, 'names and times');
  session.putCorpus({ digest: corpusDigest, source: 'mnist', details: {} }, 'other times');
  expect(session.corpusByFingerprint('names and times')).toEqual({ digest: corpusDigest, source: 'mnist', details });
  expect(session.corpusByFingerprint('other times')?.digest).toBe(corpusDigest);
  expect(session.corpusByFingerprint('never seen')).toBeUndefined();
  expect(session.corpora()).toEqual([{ digest: corpusDigest, source: 'mnist', details }]);
});

test('data that moved are where they were found last', () => {
  const session = folder.session();
  const details = { height: 28 };
  session.putCorpus({ digest: corpusDigest, source: '/before', details }, 'names and times');
  session.putCorpus({ digest: corpusDigest, source: '/after', details: {} }, 'names and other times');
  expect(session.corpora()).toEqual([{ digest: corpusDigest, source: '/after', details }]);
  session.putCorpus({ digest: corpusDigest, source: '', details: { height: 29 } });
  expect(session.corpusByFingerprint('names and times')).toEqual({ digest: corpusDigest, source: '/after', details: { height: 29 } });
  session.saveTraining({ ...training(), seconds: 1, provenance: {} });
  expect(session.corpora()[0].source).toBe('/home/somebody/secret place/digits');
});

describe('notes', () => {
  test('are written, changed and removed, on whatever there is', () => {
    let now = 0;
    const session = folder.session('create', undefined, { clock: () => new Date(now++) });
    fill(session);
    const subject = { kind: 'model' as const, key: session.models()[0].digest };
    const note = session.addNote({ subject: { ...subject, unit: 'L0U1' }, text: 'fires for 7' });
    expect(note).toMatchObject({ subject: { ...subject, unit: 'L0U1' }, bookmark: false, edited: undefined });
    const bookmark = session.addBookmark(subject);
    expect(bookmark).toMatchObject({ subject, text: '', bookmark: true });
    const edited = session.editNote(note.id, { text: 'fires for 1', bookmark: true });
    expect(edited).toMatchObject({ id: note.id, text: 'fires for 1', bookmark: true, at: note.at });
    expect(edited.edited).not.toBeUndefined();
    session.removeNote(bookmark.id);
    expect(session.notes().map(({ text }) => text)).toEqual(['silent', 'fires for 1']);
  });

  test('are refused where they say nothing, or of nothing', () => {
    const session = folder.session();
    const here = { kind: 'session' as const, key: '' };
    expect(() => session.addNote({ subject: here, text: ' ' })).toThrow('note: text must say something, unless it is a bookmark, got " "');
    expect(() => session.addNote({ subject: { kind: 'run', key: 'abc' }, text: 'x' })).toThrow(
      'note: subject must be a run of this session, got "abc"',
    );
    expect(() => session.addNote({ subject: { kind: 'planet' as 'run', key: '' }, text: 'x' })).toThrow('note: subject must be one of');
    expect(() => session.editNote(7, { text: 'x' })).toThrow('note: id must be that of a note of this session, got 7');
    expect(() => session.removeNote(NaN)).toThrow(UserError);
    const bookmark = session.addBookmark(here);
    expect(() => session.editNote(bookmark.id, { bookmark: false })).toThrow('must say something');
    expect(session.notes()).toEqual([bookmark]);
  });
});

test('actions are logged in order, and undone without being forgotten; the layout is kept by name', () => {
  const session = folder.session();
  const first = session.act('train', { stage: 'foundation', rate: 1e-3, none: undefined });
  session.act('rename', 'another');
  session.setUndone(first, true);
  expect(session.actions()).toMatchObject([
    { id: first, verb: 'train', arguments: { stage: 'foundation', rate: 1e-3, none: undefined }, undone: true },
    { verb: 'rename', arguments: 'another', undone: false },
  ]);
  session.setUndone(first, false);
  expect(session.actions()[0].undone).toBe(false);
  expect(() => session.setUndone(99, true)).toThrow('action: id must be that of an action of this session, got 99');
  expect(() => session.act('train', { data: new Float32Array(1) })).toThrow(TypeError);
  expect(session.layout('panes')).toBeUndefined();
  session.setLayout('panes', { left: 0.3 });
  session.setLayout('panes', { left: 0.4, right: [1] });
  expect(session.layout('panes')).toEqual({ left: 0.4, right: [1] });
});

describe('find', () => {
  test('by label, by the beginning of a digest or key, and by all of it', () => {
    const session = folder.session();
    fill(session);
    const mode = canonicalDigest(adapted());
    const { key } = analysis();
    expect(session.find(mode.slice(0, 4))).toEqual({ kind: 'model', key: mode });
    expect(session.find(mode.toUpperCase())).toEqual({ kind: 'model', key: mode });
    expect(session.find('firing')).toEqual({ kind: 'result', key });
    expect(session.find('dopamine', ['model'])).toEqual({ kind: 'model', key: mode });
    expect(session.find(corpusDigest)).toEqual({ kind: 'corpus', key: corpusDigest });
  });

  test('names the candidates if there are several, the nearest if there is none', () => {
    const session = folder.session();
    fill(session);
    const mode = canonicalDigest(adapted()).slice(0, 12);
    expect(() => session.find('dopamine')).toThrow(
      `session: name must mean one of model ${mode} dopamine, run ${training().key.slice(0, 12)} dopamine, got "dopamine"`,
    );
    expect(() => session.find('fireing')).toThrow(
      'session: name must be the label, or 4 or more digits, of a model, run, result, corpus, pairs of this session (nearest: "firing"), got "fireing"',
    );
    expect(() => session.find(mode.slice(0, 3))).toThrow('or 4 or more digits');
    const flipped = `${mode.slice(0, 7)}${mode[7] === '0' ? '1' : '0'}`;
    expect(() => session.find(flipped)).toThrow(`(nearest: "${mode.slice(0, 8)}")`);
    for (let seed = 1; seed < 12; seed++) session.saveAnalysis(analysis(seed));
    expect(() => session.find('firing')).toThrow(/must mean one of (result [0-9a-f]{12} firing, ){8}and 4 more, got/);
    expect(() => folder.session('create', 'empty.gatescope').find('firing')).toThrow(/of this session, got "firing"$/);
  });
});

test('a session that was opened to read refuses every change, and says which file', () => {
  const session = folder.session();
  fill(session);
  const again = reopened(session);
  expect(again.writable).toBe(false);
  const [{ key }] = again.runs();
  const changes = [
    () => again.rename('x'),
    () => again.putModel(foundation(9), { label: 'x' }),
    () => again.addBookmark({ kind: 'session', key: '' }),
    () => again.editNote(1, { text: 'x' }),
    () => again.removeNote(1),
    () => again.act('x', 1),
    () => again.setUndone(1, true),
    () => again.setLayout('x', 1),
    () => again.putCorpus({ digest: corpusDigest, source: 'x', details: {} }),
    () => again.saveCheckpoint(key, 1),
    () => again.dropCheckpoint(key),
    () => again.saveTraining({ ...training(), seconds: 0, provenance: {} }),
    () => again.saveAnalysis(analysis()),
    () => again.saveReport(key, 'x', 1, analysis().findings),
  ];
  for (const change of changes)
    expect(change).toThrow(/^session: file must be open to writing for this \(it was opened to read\), got ".*study\.gatescope"$/);
});
