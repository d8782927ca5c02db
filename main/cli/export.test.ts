/** What leaves a session for others: tables, models, copies. That the files say the right things is tested where they are made. */
import { copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Session } from '../store/session.ts';
import { here } from './testing/here.ts';
import { done, expectRefused, overview, refused, Study } from './testing/study.ts';

let study: Study;
let session: string;
let folder: string;
const at = (name: string) => study.at(name);
beforeAll(async () => {
  study = new Study();
  ({ session, folder } = study);
  await study.work(session);
});
afterAll(() => study[Symbol.dispose]());

describe('export', () => {
  test('a table in long form, of several results', async () => {
    const { stdout } = await done('export', session, 'all', '--format', 'csv');
    const [header, ...rows] = stdout.trimEnd().split('\r\n');
    expect(header).toBe('result,analysis,models,measure,model,form,angle,class,axis.unit,layer,value,unit,n,seed,part,data,device');
    expect(rows.length).toBeGreaterThan(20);
  });

  test('files are not replaced, unless that is asked for', async () => {
    const path = at('accuracy.csv');
    expect((await done('export', session, 'accuracy', '--format', 'csv', '--output', path)).stdout).toBe(`${path}\n`);
    const before = readFileSync(path);
    writeFileSync(path, 'mine');
    expect(await refused('export', session, 'accuracy', '--format', 'csv', '--output', path)).toBe(
      `export: --output must not be there yet, unless --force is given, got ${JSON.stringify(path)}`,
    );
    expect(readFileSync(path, 'utf8')).toBe('mine');
    await done('export', session, 'accuracy', '--format', 'csv', '--output', path, '--force');
    expect(readFileSync(path)).toEqual(before);
  });

  test('which files were written, for scripts; and all that left the session is in its log', async () => {
    const file = at('logged.gatescope');
    copyFileSync(session, file);
    const written = async (...words: string[]) => JSON.parse((await done('export', file, ...words, '--json')).stdout) as unknown;
    const files = [at('logged.py'), at('logged.npz')];
    expect(await written('gain', '--format', 'model.py', '--output', files[0])).toEqual({ files });
    const copy = at('logged-share.gatescope');
    expect(await written('--share', copy)).toEqual({ files: [copy] });
    await done('export', file, 'all', '--format', 'csv');
    using opened = Session.open(file, 'read');
    expect(opened.actions().slice(-3)).toMatchObject([
      { verb: 'export', arguments: { what: ['gain'], format: 'model.py', files } },
      { verb: 'share', arguments: { files: [copy] } },
      { verb: 'export', arguments: { what: ['all'], format: 'csv', files: [] } },
    ]);
  });

  test('a session that another writes to is exported all the same', async () => {
    using writer = Session.open(session, 'write');
    const { code, stdout, stderr } = await here(['export', session, 'accuracy', '--format', 'csv']);
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: expect.stringMatching(/^gatescope: what was done is not in the log of the session: [^\n]*\n$/) as string,
    });
    expect(stdout).toMatch(new RegExp(`own\\.npz \\(${writer.corpora()[0].digest.slice(0, 12)}\\)`));
  });

  test('models for other programs', async () => {
    for (const format of ['safetensors', 'onnx']) {
      const { bytes } = await done('export', session, 'gain', '--format', format, '--output', '-');
      await done('export', session, 'gain', '--format', format, '--output', at(`gain.${format}`));
      expect(readFileSync(at(`gain.${format}`)).equals(bytes)).toBe(true);
    }
    await done('export', session, 'gain', '--format', 'model.py', '--output', at('gain.py'));
    expect(readFileSync(at('gain.py'), 'utf8')).toContain('gain 45° on foundation 0°+45°, seed 3');
    expect(existsSync(at('gain.npz'))).toBe(true);
  });

  test('a copy to share shows the same numbers, without weights or paths', async () => {
    const copy = at('share.gatescope');
    await done('export', session, '--share', copy);
    expect((await overview(copy)).results.map(({ digest }) => digest)).toEqual(
      (await overview(session)).results.map(({ digest }) => digest),
    );
    const [{ key }] = (await overview(session)).results;
    expect((await done('show', copy, key)).stdout).toBe((await done('show', session, key)).stdout);
    expect(readFileSync(copy).includes(folder)).toBe(false);
    expect((await done('show', copy, 'gain 45° on foundation 0°+45°, seed 3')).stdout).toContain('gain, 14 numbers');
    expect(await refused('export', copy, 'gain', '--format', 'onnx', '--output', at('x.onnx'))).toContain('no weights');
    expect(await refused('export', session, '--share', copy)).toMatch(/^export: --share must not be there yet/);
  });

  test('mistakes', async () => {
    const mistakes: [string[], string][] = [
      [[], 'export: what must be given: results and runs (or all), or one model, got ""'],
      [['all'], 'export: --format must be one of csv, json, npz, safetensors, onnx, model.py, got undefined'],
      [['all', '--format', 'xls'], 'export: --format must be one of csv, json, npz, safetensors, onnx, model.py, got "xls"'],
      [['all', '--format', 'csv', '--json'], 'export: --json must be given with --output'],
      [['all', '--format', 'npz'], 'export: --output must be given for npz, got undefined'],
      [
        ['foundation 0°+45°, seed 3', '--format', 'csv'],
        'export: what must be the label, or 4 or more digits, of a result, run of this session',
      ],
      [['acuracy', '--format', 'json'], 'export: what must be '],
      [['gain', 'dopamine+two-sided', '--format', 'onnx', '--output', '-'], 'export: what must be one model for this format'],
      [
        ['gain', '--format', 'onnx', '--form', 'hard', '--output', '-'],
        'onnx: form must be one of soft, base, which this model has, got "hard"',
      ],
      [['gain', '--format', 'csv', '--form', 'hard'], 'export: --form must be given with --format onnx only'],
      [
        ['gain', '--format', 'model.py', '--output', '-'],
        'export: --output must be a file: the weights of model.py lie beside it, got "-"',
      ],
      [['gain', '--format', 'model.py', '--output', at('gain.txt')], 'export: --output must end in .py'],
      [
        ['gain', '--format', 'model.py', '--output', at('my-gain.py')],
        'model.py: name must be a Python name, of letters, digits and _, got "my-gain"',
      ],
      [['gain', '--format', 'onnx', '--output', join(folder, 'nowhere', 'x.onnx')], 'export: --output must be in a folder that is there'],
      [['all', '--share', at('y.gatescope')], 'export: what must not be given with --share, which copies the session, got "all"'],
      [['--share', at('y.gatescope'), '--format', 'csv'], 'export: --format must not be given with --share'],
    ];
    await expectRefused(mistakes.map(([words, message]) => [['export', session, ...words], message]));
  });
});
