/** A small study for tests: images of one's own, a foundation, two modes, two results; made by the commands themselves. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { here, type Ended } from './here.ts';
import { writeOwnImages } from './ownImages.ts';

export const BRIEF = ['--epochs', '8', '--batch', '20'];
/** Of a foundation. */
export const SMALL = [...BRIEF, '--hidden', '8,6'];

/** A command that is to succeed without a word of complaint. */
export async function done(...words: string[]): Promise<Ended> {
  const ended = await here(words);
  expect({ code: ended.code, stderr: ended.stderr }, words.join(' ')).toEqual({ code: 0, stderr: '' });
  return ended;
}

/** One that is to end with 2 and nothing but a line of complaint, before any engine is started. @returns the line */
export async function refused(...words: string[]): Promise<string> {
  const { code, stdout, stderr, engines } = await here(words);
  expect({ code, stdout, engines }, `${words.join(' ')}: ${stderr}`).toEqual({ code: 2, stdout: '', engines: 0 });
  expect(stderr).toMatch(/^gatescope: [^\n]*\n$/);
  return stderr.slice('gatescope: '.length).trimEnd();
}

/** Checks what each of many mistakes is told with. */
export async function expectRefused(mistakes: readonly (readonly [readonly string[], string])[]): Promise<void> {
  for (const [words, message] of mistakes) {
    const told = await refused(...words);
    expect(told.startsWith(message), `${words.join(' ')}: ${told}`).toBe(true);
  }
}

export const json = ({ stdout }: Ended): unknown => JSON.parse(stdout);

export interface Overview {
  readonly results: readonly { key: string; analysis: string; digest: string; at: string }[];
  readonly runs: readonly { key: string; state: string }[];
  readonly models: readonly { digest: string; title: string }[];
  readonly notes: readonly { id: number; text: string }[];
}
export const overview = async (file: string): Promise<Overview> => json(await done('show', file, '--json')) as Overview;

/** A folder with images, and sessions in it. */
export class Study implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'gatescope-study-'));
  readonly images = this.at('own.npz');
  readonly session = this.at('study.gatescope');

  constructor() {
    writeOwnImages(this.images);
  }

  at(name: string): string {
    return join(this.folder, name);
  }

  /** New, train, adapt and two analyses. @returns what the analyses printed */
  async work(file: string): Promise<Ended[]> {
    await done('new', file, '--name', 'a study');
    await done('train', '--session', file, '--data', this.images, '--angles', '0,45', '--seed', '3', ...SMALL);
    for (const adapter of ['dopamine+two-sided', 'gain'])
      await done('adapt', '--session', file, '--base', 'foundation', '--adapter', adapter, '--angles', '45', '--seed', '3', ...BRIEF);
    return [
      await done('analyse', 'accuracy', '--session', file, '--model', 'all', '--angles', '0,45'),
      await done('analyse', 'firing', '--session', file, '--model', 'dopamine+two-sided', '--json'),
    ];
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true });
  }
}
