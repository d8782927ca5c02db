/** What is offered at every place of a command line, and that the shells themselves offer it. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { smallModel } from '../../engine/analyses/testing/models.ts';
import { Session } from '../store/session.ts';
import { candidates } from './completion.ts';
import { completionScripts } from './completionScripts.ts';
import { gatescopeProgram } from './program.ts';
import { entry } from './testing/command.ts';
import { here } from './testing/here.ts';

let folder: string;
let file: string;
let digest: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'gatescope-completion-'));
  file = join(folder, 'study.gatescope');
  using session = Session.open(file, 'create');
  digest = session.putModel(smallModel(), { label: 'foundation' });
  session.addNote({ subject: { kind: 'session', key: '' }, text: 'a note' });
});
afterAll(() => rmSync(folder, { recursive: true }));

const nobody = () => {
  throw new Error('completion needs no engine');
};
const program = gatescopeProgram({ signal: new AbortController().signal, spawn: nobody });
const offered = (...words: string[]) => candidates(program, words).map(({ value }) => value);

describe('candidates', () => {
  const places: [string[], string[]][] = [
    [['tr'], ['train']],
    [['analyse', 'soft'], ['softHardGap']],
    [['mode', '--sh'], ['--share']],
    [
      ['train', '--meas'],
      ['--measure-every', '--measure-images', '--measure-angles'],
    ],
    [
      ['run', ''],
      ['dopamine', 'tier-a', 'tier-b', 'tier-c'],
    ],
    [['train', '--ang'], ['--angles']],
    [
      ['train', '--optimiser', 'adam'],
      ['adam', 'adamw'],
    ],
    [['train', '--optimiser=s'], ['--optimiser=sgd']],
    [['train', '--optimiser', '=', 's'], ['sgd']],
    [
      ['train', '--optimiser', '='],
      ['adam', 'adamw', 'sgd'],
    ],
    [
      ['adapt', '--adapter', 'lora-r'],
      ['lora-r1', 'lora-r4', 'lora-r8'],
    ],
    [['run', 'dopamine', '--adapters', 'gain,th'], ['gain,threshold']],
    [['run', 'dopamine', '--parts', 'neurons,neu'], []],
    [
      ['export', 'x.gatescope', '--format', ''],
      ['csv', 'json', 'npz', 'safetensors', 'onnx', 'model.py'],
    ],
    [
      ['completion', ''],
      ['bash', 'zsh', 'fish'],
    ],
    [
      ['train', '--data', ''],
      ['mnist', 'fashion-mnist'],
    ],
    [['train', '--session', ''], []],
    [['train', '--epochs', ''], []],
    [['nothing', ''], []],
    [['show', 'none.gatescope', ''], []],
    [['complet'], ['completion']],
    [['show', '--', '--js'], []],
  ];
  test.each(places)('%j', (words, expected) => expect(offered(...words)).toEqual(expected));

  test('every command, and every option that help shows', () => {
    expect(offered('')).toEqual(
      expect.arrayContaining(['new', 'run', 'train', 'adapt', 'mode', 'analyse', 'show', 'ls', 'note', 'export', 'devices', 'doctor']),
    );
    expect(offered('analyse', 'accuracy', '--')).toEqual(
      expect.arrayContaining(['--session', '--model', '--angles', '--part', '--data', '--seed', '--cores', '--json', '--help']),
    );
    expect(offered('adapt', '--hid')).toEqual([]);
  });

  test('ids of the session that the line names, with their titles', () => {
    const short = digest.slice(0, 12);
    expect(candidates(program, ['adapt', '--session', file, '--base', ''])).toEqual([{ value: short, about: 'foundation 0°+45°, seed 1' }]);
    expect(offered('analyse', 'accuracy', `--session=${file}`, '--model', digest.slice(0, 3))).toEqual([short]);
    expect(offered('show', file, '')).toEqual([short]);
    expect(offered('export', file, digest, '')).toEqual([short]);
    expect(candidates(program, ['note', file, '--edit', ''])).toEqual([{ value: '1', about: 'a note' }]);
    writeFileSync(join(folder, 'damaged.gatescope'), 'nothing');
    expect(offered('show', join(folder, 'damaged.gatescope'), '')).toEqual([]);
  });

  test('whatever the line, there is an answer, and it goes on from the last word', () => {
    const word = fc.oneof(
      fc.constantFrom('train', 'analyse', 'accuracy', '--session', '--', '=', '--json', '-', '--optimiser', file, ''),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.array(word, { minLength: 1, maxLength: 6 }), (words) => {
        const last = words.at(-1)!;
        for (const value of offered(...words)) expect(value.startsWith(last) || last === '=').toBe(true);
      }),
      { seed: 1, numRuns: 300 },
    );
  });
});

test('complete prints a candidate a line, and after a tab what it is', async () => {
  const { code, stdout, engines } = await here(['complete', '--', 'train', '--optimiser', 'adam']);
  expect({ code, stdout, engines }).toEqual({ code: 0, stdout: 'adam\t\nadamw\t\n', engines: 0 });
  expect((await here(['complete', '--', 'show', '--json'])).stdout).toBe('--json\tprint one line of JSON\n');
  expect((await here(['completion', 'bash'])).stdout).toBe(completionScripts.bash);
});

/** Defines the command for a shell that is asked to complete lines; one process of ours for each. */
const command = `gatescope() { '${process.execPath}' '${entry}' "$@"; }`;
const missing = (shell: string) => (spawnSync(shell, ['--version']).error ? `${shell} is not installed` : undefined);

describe('a shell', () => {
  test('bash', ({ skip }) => {
    const reason = missing('bash');
    if (reason !== undefined) return skip(reason);
    const script = `
${command}
source "$1"
complete -p gatescope
try() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _gatescope; echo "\${COMPREPLY[*]}"; }
try gatescope an
try gatescope train --optimiser = ad
try gatescope adapt --session "$2" --base ""
`;
    const path = join(folder, 'bash');
    writeFileSync(path, completionScripts.bash);
    expect(execFileSync('bash', ['--norc', '-c', script, 'bash', path, file], { encoding: 'utf8' }).split('\n')).toEqual([
      'complete -o default -F _gatescope gatescope',
      'analyse',
      'adam adamw',
      digest.slice(0, 12),
      '',
    ]);
  });

  test('zsh', ({ skip }) => {
    const reason = missing('zsh');
    if (reason !== undefined) return skip(reason);
    // What the completion system would be handed.
    const script = `
${command}
compdef() { echo "compdef $*"; }
_files() { echo files; }
_describe() { echo "\${(F)\${(P)2}}"; }
source "$1"
words=(gatescope adapt --session "$2" --base ""); CURRENT=6; _gatescope
words=(gatescope show ""); CURRENT=3; _gatescope
`;
    const path = join(folder, 'zsh');
    writeFileSync(path, completionScripts.zsh);
    expect(execFileSync('zsh', ['-f', '-c', script, 'zsh', path, file], { encoding: 'utf8' }).split('\n')).toEqual([
      'compdef _gatescope gatescope',
      `${digest.slice(0, 12)}:foundation 0°+45°, seed 1`,
      'files',
      '',
    ]);
  });

  test('fish', ({ skip }) => {
    const reason = missing('fish');
    if (reason !== undefined) return skip(reason);
    const script = `
function gatescope; '${process.execPath}' '${entry}' $argv; end
source $argv[1]
complete -C "gatescope adapt --session '$argv[2]' --base "
`;
    const path = join(folder, 'fish');
    writeFileSync(path, completionScripts.fish);
    expect(execFileSync('fish', ['--no-config', '-c', script, path, file], { encoding: 'utf8' })).toBe(
      `${digest.slice(0, 12)}\tfoundation 0°+45°, seed 1\n`,
    );
  });
});
