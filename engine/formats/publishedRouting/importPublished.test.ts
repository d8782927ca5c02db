/** The published tables, recomputed to the numbers the paper prints; and what happens to folders that are damaged or are something else. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { TestContext } from 'vitest';
import { UserError } from '../../base/errors.ts';
import { cells, checkFindings } from '../../base/findings.ts';
import { shared } from '../../base/testing/shared.ts';
import { readPublishedFolder, type PublishedFolder } from './folder.ts';
import { importPublished, type PublishedResults } from './importPublished.ts';
import { publishedPanel } from './panel.ts';
import { smallFolder } from './testing/smallFolder.ts';

const FOLDER = 'published/how-alignment-routes';
const real = (context: TestContext) => importPublished(readPublishedFolder(shared(context, FOLDER)));

const of = ({ findings }: PublishedResults, model: string, experiment: string, variant = '') =>
  findings.find((one) => one.model === model && one.experiment === experiment && one.variant === variant)!;

describe('the published folder', () => {
  it('holds twelve models, and nothing that was not read', (context) => {
    const { models, findings, notRead, licence } = real(context);
    expect(models.map(({ key, layers, heads }) => [key, layers, heads])).toEqual([
      ['gemma2_2b', 26, 8],
      ['gemma2_9b', 42, 16],
      ['glmz1_9b', 40, 32],
      ['llama32_3b', 28, 24],
      ['llama33_70b', 80, 64],
      ['mistral_7b', 32, 32],
      ['phi4_14b', 40, 40],
      ['phi4_mini', 32, 24],
      ['qwen25_72b', 80, 64],
      ['qwen25_7b', 28, 28],
      ['qwen3_32b', 64, 64],
      ['qwen3_8b', 36, 32],
    ]);
    expect(models[0].id).toBe('google/gemma-2-2b-it');
    expect(notRead).toEqual([]);
    expect(licence).toContain('Permission is hereby granted');
    for (const { findings: one, states } of findings) {
      expect(one.facts.state).toBe('imported');
      expect(one.facts.licence).toBe('MIT License; Copyright (c) 2026 Greg Frank');
      for (const [name, { axes, data }] of Object.entries(checkFindings(one).measures)) {
        expect(one.facts[`source.${name}`]).toMatch(/^(derived from )?[\w/]+\.(csv|json): /);
        if (axes.length === 2) data.forEach((value, cell) => expect(Number.isNaN(value)).toBe(states[cell] === 'not-run'));
      }
      expect([...cells(one)].length).toBeGreaterThan(0);
      expect(Object.keys(one.measures).some((name) => /^p(Value)?$/.test(name))).toBe(false);
    }
  });

  it('gives the panel of the paper: necessity and sufficiency to the digits it prints', (context) => {
    const rows = publishedPanel(real(context));
    expect(rows.length).toBe(12);
    const digits = (value: number) => Math.abs(value).toFixed(1);
    const differ = rows.flatMap(({ model, printed, ...row }) =>
      (['necessity', 'sufficiency'] as const)
        .filter((name) => digits(row[name]) !== digits(printed[name]))
        .map((name) => [model, name, printed[name], row[name].toFixed(3)]),
    );
    // 23 of 24: the last is −0.052 in the table, which rounds to −0.1.
    expect(differ).toEqual([['meta-llama/Llama-3.3-70B-Instruct', 'sufficiency', 0, '-0.052']]);
    const row = (id: string) => rows.find(({ model }) => model.endsWith(id))!;
    // The gate of Phi-4-mini is not its most necessary head, but the one by necessity + sufficiency; three gates sit where nothing is deeper.
    expect([row('Phi-4-mini-instruct').mostNecessary, row('Phi-4-mini-instruct').chosen]).toEqual(['L16H13', 'L13H7']);
    expect(rows.filter(({ layer, layers }) => layer === layers - 1).map(({ model }) => model.split('/')[1])).toEqual([
      'Llama-3.2-3B-Instruct',
      'Mistral-7B-Instruct-v0.3',
      'Qwen2.5-72B-Instruct',
    ]);
    expect(row('glm-z1-9b-0414').gap).toBeCloseTo(0.28, 2);
    const neighbours = of(real(context), 'llama32_3b', 'interchange').findings.measures.necessity.data;
    expect([27 * 24 + 18, 27 * 24 + 19].map((cell) => neighbours[cell].toFixed(2))).toEqual(['2.98', '2.94']);
    const seventy = of(real(context), 'llama33_70b', 'interchange').findings.measures.necessity.data;
    expect(seventy[77 * 64 + 47].toFixed(1)).toBe('1.3');
  });

  it('gives the shares and ranks of the gates in direct attribution', (context) => {
    const rows = publishedPanel(real(context));
    const found = ['Qwen3-8B', 'Phi-4-mini-instruct', 'gemma-2-2b-it'].map((id) => rows.find(({ model }) => model.endsWith(`/${id}`))!);
    expect(found.map(({ share, rank, heads }) => [(100 * share).toPrecision(2), rank, heads])).toEqual([
      ['0.014', 292, 1152],
      ['0.67', 11, 768],
      ['0.71', 20, 208],
    ]);
    // Lift: against an equal share of all heads and MLPs.
    expect(found[2].lift).toBeCloseTo(found[2].share * (208 + 26), 12);
  });

  it('gives the cascades and their null', (context) => {
    const results = real(context);
    const cascade = (model: string) => {
      const { facts, measures } = of(results, model, 'cascade').findings;
      const changes = [...measures.change.data].filter((value) => !Number.isNaN(value)).sort((a, b) => a - b);
      return [changes.length, facts.suppressed, changes[0].toFixed(1), changes[Number(facts.suppressed) - 1].toFixed(1)];
    };
    expect(cascade('qwen3_8b')).toEqual([6, 5, '-25.8', '-5.4']);
    // The index counts 3 of 5 for Phi-4-mini: it leaves out the −0.8 %.
    expect(cascade('phi4_mini')).toEqual([5, 4, '-15.6', '-0.8']);
    expect(cascade('gemma2_2b')).toEqual([5, 3, '-9.5', '-2.1']);
    const { facts } = of(results, 'qwen3_8b', 'knockoutNull').findings;
    expect(['gate.change', 'null.mean', 'null.deviation', 'null.max'].map((name) => Number(facts[name]).toFixed(1))).toEqual([
      '10.5',
      '3.9',
      '2.1',
      '7.7',
    ]);
    expect(facts.gate).toBe('L17H17');
  });

  it('has ciphers of all heads for three models and of ten for three more', (context) => {
    const found = real(context).findings.filter(({ experiment }) => experiment === 'cipherContrast');
    expect(found.map(({ model, findings: { facts } }) => [model, facts['cells.imported']])).toEqual([
      ['gemma2_2b', 208],
      ['gemma2_9b', 10],
      ['phi4_mini', 768],
      ['qwen3_8b', 1152],
      ['llama33_70b', 10],
      ['qwen25_72b', 10],
    ]);
    const phi = of(real(context), 'phi4_mini', 'cipherContrast').findings.measures;
    expect(phi.sensitivity.data[16 * 24 + 9]).toBeCloseTo(3.319, 3);
    // The tables behind the collapse under cipher (98.8, 99.2 and 70.4 %) are not among these.
    expect(real(context).findings.some(({ experiment }) => experiment === 'cipherInterchange')).toBe(false);
  });

  it('is the same from its results folder', (context) => {
    const path = shared(context, FOLDER);
    expect(importPublished(readPublishedFolder(join(path, 'results')))).toEqual(importPublished(readPublishedFolder(path)));
  });
});

describe('a small folder', () => {
  it('is read with every kind of table', () => {
    const { models, findings, notRead, licence } = importPublished(smallFolder());
    expect(models).toEqual([{ key: 'tiny', id: 'maker/tiny', layers: 2, heads: 2 }]);
    expect(findings.map(({ experiment }) => experiment).sort()).toEqual(
      ['ablation', 'attribution', 'cascade', 'cipherContrast', 'cipherInterchange', 'interchange', 'knockoutNull'].sort(),
    );
    expect(notRead).toEqual(['dose_response/judgments_merged.csv']);
    expect(licence).toBe('MIT License\n\nCopyright (c) somebody\n');
  });

  it('gives numbers worked by hand', () => {
    const results = importPublished(smallFolder());
    const data = (experiment: string, measure: string) => [...of(results, 'tiny', experiment).findings.measures[measure].data];
    // Heads 1, −2, 0, 4; MLPs 3 and 0: Σ|Δ| = 10, six components.
    expect(data('attribution', 'share')).toEqual([0.1, 0.2, 0, 0.4]);
    expect(data('attribution', 'lift')).toEqual([0.1 * 6, 0.2 * 6, 0, 0.4 * 6]);
    expect(data('attribution', 'rank')).toEqual([3, 2, 4, 1]);
    expect(data('interchange', 'necessity')).toEqual([NaN, 25, NaN, -12.5]);
    expect(data('interchange', 'sufficiency')).toEqual([NaN, 50, NaN, 0]);
    expect(of(results, 'tiny', 'interchange').states).toEqual(['not-run', 'imported', 'not-run', 'imported']);
    expect(data('cascade', 'change')).toEqual([NaN, NaN, NaN, -50]);
    // Necessity 2 and 2 in plaintext, 1 and −1 in cipher: nothing is left of the mean, half of the magnitude.
    expect(data('cipherInterchange', 'necessityMean')).toEqual([2, 0]);
    expect(data('cipherInterchange', 'necessityMagnitude')).toEqual([2, 1]);
    const { facts } = of(results, 'tiny', 'cipherInterchange').findings;
    expect([facts['collapse.signed'], facts['collapse.magnitude']]).toEqual([100, 50]);
    expect(of(results, 'tiny', 'knockoutNull').findings.facts).toMatchObject({ 'gate.change': 8, 'null.mean': 3, 'null.deviation': 1 });
  });

  const swap = 'panel/tiny/interchange/head_interchange_summary.csv';
  const dla = 'panel/tiny/headDLA/head_summary.csv';
  const manifest = 'panel/tiny/interchange/run_manifest.json';
  it.each<[string, string, (text: string) => string]>([
    [`${swap}: columns must have mean_baseline_delta, got [layer, head`, swap, (text) => text.replace('mean_baseline_delta', 'gap')],
    [
      `${swap}: row 1, mean_ctrl_to_ccp_reduction must be a finite number, got "nan"`,
      swap,
      (text) => text.replace(/^0,1,2,1/m, '0,1,2,nan'),
    ],
    [`${swap}: row 1, mean_ctrl_to_ccp_reduction must be a finite number, got ""`, swap, (text) => text.replace(/^0,1,2,1/m, '0,1,2,')],
    [
      `${swap}: row 1, mean_ctrl_to_ccp_reduction must be a finite number, got "1e999"`,
      swap,
      (text) => text.replace(/^0,1,2,1/m, '0,1,2,1e999'),
    ],
    [`${swap}: row 1, layer must be an integer in [0, 1], got 2`, swap, (text) => text.replace(/^0,1,2,/m, '2,1,2,')],
    [`${swap}: rows must be of different heads, got "L1H1"`, swap, (text) => text.replace(/^0,1,2,/m, '1,1,2,')],
    [`${swap}: row 2, mean_baseline_delta must be 4 as in row 1, got "5"`, swap, (text) => text.replace('0,4\r\n', '0,5\r\n')],
    [`${swap}: mean_baseline_delta must not be 0, for it is divided by, got 0`, swap, (text) => text.replaceAll(',4\r\n', ',0\r\n')],
    [`${swap}: row 2 must have 6 values, got 7`, swap, (text) => text.replace('0,4\r\n', '0,4,4\r\n')],
    [`${swap}: heads must be the 2 of run_manifest.json, got "L0H0"`, swap, (text) => text.replace(/^0,1,2,/m, '0,0,2,')],
    [`${swap} must have rows, got 0`, swap, (text) => text.split('\r\n')[0]],
    [`${swap} must have a line of column names, got ""`, swap, () => ''],
    [`${manifest} must be JSON, got `, manifest, (text) => text.replace('"n_pairs":2', '"n_pairs":NaN')],
    [`${manifest}: n_pairs `, manifest, (text) => text.replace('"n_pairs":2', '"n_pairs":"two"')],
    [
      'panel/tiny/interchange: model must be maker/tiny as in the other tables of tiny, got "maker/other"',
      manifest,
      (text) => text.replace('maker/tiny', 'maker/other'),
    ],
    [`${dla}: row 1, mean_delta_attn_total must be the sum of the heads = -1, got 7`, dla, (text) => text.replace('3,-1,', '3,7,')],
    [`${dla}: row 2, layer must be 1, got "0"`, dla, (text) => text.replace(/^1,2,/m, '0,2,')],
    [`${dla}: columns must have head_1_ci_high`, dla, (text) => text.replace('head_1_ci_high', 'head_1_high')],
    [
      'cascade_summary.csv: change_pct must be (knockout − normal) / |normal| = -50, got 50',
      'knockout/tiny/cascade_summary.csv',
      (text) => text.replace('-50', '50'),
    ],
    [
      'knockout_null_summary.json: null_mean must be that of the distribution = 3, got 4',
      'knockout/null/tiny/knockout_null_summary.json',
      (text) => text.replace('"null_mean":3', '"null_mean":4'),
    ],
    [
      'cipher_diagnostic_all_heads.csv: cipher_sensitivity must be |plain − cipher| = 2, got 3',
      'cipher_contrast/tiny/cipher_diagnostic_all_heads.csv',
      (text) => text.replace('0,0,3,1,0,2,3', '0,0,3,1,0,3,3'),
    ],
    [
      'row 4, pair_idx must not stand twice, got "0"',
      'cipher_interchange/tiny/interchange_cipher_pairwise.csv',
      (text) => text.replace('1,s,cipher', '0,s,cipher'),
    ],
  ])('%s', (message, path, change) => {
    const { files, licence } = smallFolder();
    const changed = change(files.get(path)!);
    expect(changed).not.toBe(files.get(path));
    const call = () => importPublished({ files: new Map(files).set(path, changed), licence });
    expect(call).toThrow(UserError);
    expect(call).toThrow(message);
  });

  it('refuses what it does not know, and tables without what they rest on', () => {
    const { files, licence } = smallFolder();
    const with_ = (path: string) => () => importPublished({ files: new Map(files).set(path, 'x'), licence });
    for (const path of [
      'panel/tiny/headDLA/notes.txt',
      'panel/tiny/steering/head_summary.csv',
      'something.csv',
      'panel/tiny/head_summary.csv',
    ])
      expect(with_(path)).toThrow(`published results: ${path} must be a known table of How Alignment Routes`);
    const without = new Map(files);
    without.delete(dla);
    expect(() => importPublished({ files: without, licence })).toThrow('published results: panel/tiny/headDLA must hold head_summary.csv');
    const other = new Map(files).set('panel/other/interchange/head_interchange_summary.csv', files.get(swap)!);
    expect(() => importPublished({ files: other, licence })).toThrow(
      'must have panel/other/headDLA/head_summary.csv beside it, got "other"',
    );
    expect(() => importPublished({ files: new Map(), licence })).toThrow('published results: folder must hold tables such as');
  });

  it('says what is wrong with a folder', () => {
    const folder = mkdtempSync(join(tmpdir(), 'gatescope-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    expect(() => readPublishedFolder(join(folder, 'none'))).toThrow('published results: folder must be a folder');
    writeFileSync(join(folder, 'large.csv'), new Uint8Array(16 * 2 ** 20 + 1));
    expect(() => readPublishedFolder(folder)).toThrow('published results: large.csv must be at most 16777216 bytes, got 16777217');
  });
});

/** Files as they come when something went wrong: cut, with characters changed, lines or columns taken out, numbers replaced. */
function damagedFolder(): fc.Arbitrary<PublishedFolder> {
  const { files, licence } = smallFolder();
  const place = fc.double({ min: 0, max: 1, noNaN: true });
  const junk = fc.constantFrom('nan', 'NaN', 'inf', '', '"', '-', '1e400', '\0', ',', '\n', '{', '99', '-1', '0.5', '__proto__', '𝟙');
  const change = fc.tuple(place, place, junk, fc.integer({ min: 0, max: 4 })).map(([from, to, piece, how]) => (text: string) => {
    const [a, b] = [Math.floor(from * text.length), Math.floor(to * text.length)].sort((one, other) => one - other);
    if (how === 0) return text.slice(0, a);
    if (how === 1) return text.slice(0, a) + piece + text.slice(a + 1);
    if (how === 2) return text.slice(0, a) + text.slice(b);
    if (how === 3) return text.slice(0, b) + text.slice(a);
    return text.replaceAll(/-?\d+(\.\d+)?/g, (number, _f, at: number) => (at >= a && at <= a + 8 ? piece : number));
  });
  return fc
    .tuple(fc.constantFrom(...files.keys()), fc.array(change, { minLength: 1, maxLength: 3 }), fc.boolean())
    .map(([path, changes, renamed]) => {
      const changed = new Map(files).set(
        path,
        changes.reduce((text, one) => one(text), files.get(path)!),
      );
      if (renamed) {
        changed.set(`${path}x`, changed.get(path)!);
        changed.delete(path);
      }
      return { files: changed, licence };
    });
}

it('damaged files are mistakes that say where, or findings that fit their axes', () => {
  let refused = 0;
  fc.assert(
    fc.property(damagedFolder(), (folder) => {
      let results: PublishedResults;
      try {
        results = importPublished(folder);
      } catch (error) {
        if (!(error instanceof UserError) || !error.message.startsWith('published results: ')) throw error;
        refused++;
        return;
      }
      for (const { findings, states } of results.findings) {
        checkFindings(findings);
        for (const { axes, data } of Object.values(findings.measures))
          data.forEach((value, cell) => {
            if (Number.isNaN(value) && axes.includes('head')) expect(states[cell]).toBe('not-run');
          });
      }
    }),
    { numRuns: 1500 },
  );
  expect(refused).toBeGreaterThan(500);
});
