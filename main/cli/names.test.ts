/** Titles of models, and what a text means. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { smallModel } from '../../engine/analyses/testing/models.ts';
import { modelTitles } from '../host/modelTitles.ts';
import { Session } from '../store/session.ts';
import { findAny, findModel } from './names.ts';

let folder: string;
let session: Session;
let digests: string[];
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'gatescope-names-'));
  session = Session.open(join(folder, 'names.gatescope'), 'create');
  const put = (label: string, settings: Parameters<typeof smallModel>[0]) => session.putModel(smallModel(settings), { label });
  digests = [
    put('foundation', { seed: 1 }),
    put('foundation', { seed: 2, angles: [0] }),
    put('dopamine', { seed: 1, adapter: 'dopamine', modeAngles: [45] }),
    put('dopamine', { seed: 1, adapter: 'dopamine', modeAngles: [45], variant: 1 }),
    put('gain', { seed: 2, angles: [0], adapter: 'gain', modeAngles: [-90, 90] }),
  ];
});
afterAll(() => {
  session.close();
  rmSync(folder, { recursive: true });
});

test('titles say what a model is; those that came later and would have the same carry their digest', () => {
  expect([...modelTitles(session.models()).values()]).toEqual([
    'foundation 0°+45°, seed 1',
    'foundation 0°, seed 2',
    'dopamine 45° on foundation 0°+45°, seed 1',
    `dopamine 45° on foundation 0°+45°, seed 1 (${digests[3].slice(0, 12)})`,
    'gain −90°+90° on foundation 0°, seed 2',
  ]);
});

test('a title, a label of one model alone, or the beginning of a digest', () => {
  const found = (text: string) => findModel(session, text, 'show: id').digest;
  for (const [digest, title] of modelTitles(session.models())) {
    expect(found(title)).toBe(digest);
    expect(found(digest.slice(0, 10))).toBe(digest);
    expect(findAny(session, title, 'show: id', ['model', 'run'])).toEqual({ kind: 'model', key: digest });
  }
  expect(found('gain')).toBe(digests[4]);
});

test('what means nothing, or several things', () => {
  const find = (text: string) => () => findModel(session, text, 'show: id');
  expect(find('dopamine')).toThrow(/^show: id must mean one of model [0-9a-f]{12} dopamine, model [0-9a-f]{12} dopamine, got "dopamine"$/);
  expect(find('gain −90° on foundation 0°, seed 2')).toThrow(
    'show: id must be a model of this session (nearest: "gain −90°+90° on foundation 0°, seed 2")',
  );
  expect(find('')).toThrow('show: id must be ');
  expect(() => findAny(session, 'dopamin', 'note: subject', ['result'])).toThrow(
    'note: subject must be the label, or 4 or more digits, of a result',
  );
});
