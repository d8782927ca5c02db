/** A protocol of three small jobs on test engines: what stays and what goes when it is interrupted, its disk fails or nobody reads it. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { Cancelled, UserError } from '../../engine/base/errors.ts';
import type { Protocol } from '../../engine/protocols/protocol.ts';
import { recordingSpawn } from '../host/testing/recordingSpawn.ts';
import { testKinds } from '../host/testing/testKinds.ts';
import { Session } from '../store/session.ts';
import { runProtocol, type RunSetting } from './runProtocol.ts';
import { ownSession, temporarySession, type RunSession } from './runState.ts';

let parent: string;
let file: string;
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'gatescope-run-'));
  file = join(parent, 'state', 'key.gatescope');
});
afterEach(() => rmSync(parent, { recursive: true }));

const options = z.object({ every: z.number() });
const walks: Protocol<{ every: number }, number[]> = {
  id: 'walks',
  version: 1,
  title: 'three walks',
  options,
  parse: (given) => options.parse(given),
  jobs: () => 3,
  run: async ({ every }, submit, onProgress) => {
    const ends: number[] = [];
    for (const seed of [0, 1, 2]) {
      const request = { kind: 'walk', parameters: { steps: 60, every, seed } };
      ends.push((await submit<{ values: Float64Array }>(request, onProgress)).values[0]);
    }
    return ends;
  },
  findings: (report) => ({
    axes: { seed: { values: [0, 1, 2] } },
    measures: { end: { axes: ['seed'], unit: '', definition: 'where each ends', data: Float64Array.from(report) } },
    facts: {},
  }),
};

interface Go extends Partial<RunSetting<number[]>> {
  readonly every?: number;
  /** Does something to the session once it is open. */
  readonly prepare?: (session: Session) => void;
}

/** One go at it, in a session of its own or the user's. @returns what was presented and how it ended */
async function go({ every = 1000, prepare, ...setting }: Go = {}, own?: string) {
  const { spawn, engines } = recordingSpawn();
  const presented: number[][] = [];
  const damage: UserError[] = [];
  let kept: RunSession | undefined;
  let error: Error | undefined;
  try {
    const open = own === undefined ? temporarySession(file, (problem) => damage.push(problem)) : ownSession(own);
    kept = open;
    prepare?.(open.session);
    await runProtocol(
      walks,
      { every },
      {
        cores: 2,
        session: open.session,
        spawn,
        kinds: testKinds,
        signal: new AbortController().signal,
        onProgress: () => undefined,
        present: async (report) => {
          presented.push(report);
          open.finished();
        },
        ...setting,
      },
    );
  } catch (caught) {
    error = caught as Error;
  } finally {
    kept?.close();
  }
  expect(engines.every(({ ended }) => ended !== undefined)).toBe(true);
  if (existsSync(join(parent, 'state')))
    expect(readdirSync(join(parent, 'state')).filter((name) => !/\.gatescope$/.test(name))).toEqual([]); // no lock, no log
  return { presented, damage, error, engines: engines.length };
}

/** Results of walks and of the protocol that a session has. */
function stored(path = file): string[] {
  using session = Session.open(path, 'read');
  return session.results().map(({ analysis }) => analysis);
}
const stateFiles = () => readdirSync(join(parent, 'state'));

/** Saves of this sort fail as on a full disk, after so many. */
function full(session: Session, save: 'saveCheckpoint' | 'saveAnalysis', after = 0): void {
  const whole: (...values: never[]) => void = session[save].bind(session);
  let left = after;
  session[save] = (...values: never[]) => {
    if (left-- <= 0) throw new UserError('session: file', 'must have space left on its disk', session.path);
    whole(...values);
  };
}

describe('without a session of the user', () => {
  test('a finished run leaves nothing behind', async () => {
    const { presented, error } = await go();
    expect(error).toBeUndefined();
    expect(presented).toHaveLength(1);
    expect(stateFiles()).toEqual([]);
  });

  test('an interrupted one keeps what is finished, says so, and goes on from there', async () => {
    const controller = new AbortController();
    let jobs = 0;
    const first = await go({
      signal: controller.signal,
      onProgress: ({ done }) => void (done === 60 && ++jobs === 2 && controller.abort()),
    });
    expect(first.error).toBeInstanceOf(Cancelled);
    expect(first.error!.message).toBe('interrupted; the same command goes on from where it was');
    expect(first.presented).toEqual([]);
    expect(stored().length).toBeGreaterThan(0);
    const second = await go();
    expect(second.error).toBeUndefined();
    expect(second.presented).toEqual((await go()).presented);
    expect(stateFiles()).toEqual([]);
  });

  test('one interrupted before it begins leaves no file', async () => {
    expect((await go({ signal: AbortSignal.abort() })).error).toBeInstanceOf(Cancelled);
    expect(stateFiles()).toEqual([]);
  });

  test('what is finished is kept until the report has been read', async () => {
    const unread = new UserError('output', 'must be read to its end', 'EPIPE');
    const first = await go({ present: () => Promise.reject(unread) });
    expect(first.error).toBe(unread);
    expect(stored()).toEqual(['walk', 'walk', 'walk', 'walks']);
    expect(await go()).toMatchObject({ error: undefined, engines: 0, presented: [expect.any(Array)] });
  });

  test('results that cannot be kept are reported all the same, and the loss after them', async () => {
    const { presented, error } = await go({ prepare: (session) => full(session, 'saveAnalysis') });
    expect(presented).toEqual((await go()).presented);
    expect(error).toBeInstanceOf(UserError);
    expect(error!.message).toMatch(/^session: file must have space left on its disk, got /);
  });

  test('a checkpoint that cannot be kept stops the run, and what was kept stays', async () => {
    // The second walk's first checkpoint is the third in all.
    const { presented, error } = await go({ every: 25, prepare: (session) => full(session, 'saveCheckpoint', 2) });
    expect(presented).toEqual([]);
    expect(error!.message).toMatch(/^session: file must have space left/);
    expect(stored()).toEqual(['walk']);
  });

  test('a damaged file is named and its work is done again', async () => {
    await go({ present: () => Promise.reject(new UserError('output', 'must be read', 'EPIPE')) });
    const bytes = readFileSync(file);
    writeFileSync(file, bytes.subarray(0, bytes.length / 2));
    const { presented, damage, error } = await go();
    expect(error).toBeUndefined();
    expect(damage.map(({ message }) => message)).toEqual([expect.stringContaining(file)]);
    expect(presented).toEqual((await go()).presented);
  });

  test('a state folder that cannot be had is a mistake about --state', () => {
    writeFileSync(join(parent, 'state'), '');
    expect(() => temporarySession(file, () => undefined)).toThrow(UserError);
    expect(() => temporarySession(file, () => undefined)).toThrow(/^run: --state must be in a folder \(ENOTDIR.*\), got ".*state"$/);
  });

  test('a run that is going on already is told so', () => {
    const first = temporarySession(file, () => undefined);
    expect(() => temporarySession(file, () => undefined)).toThrow(
      /^run: --state must not be in use \(somebody else is writing to it; .*\), got ".*state"$/,
    );
    first.close();
  });
});

describe('in a session of the user', () => {
  const own = () => join(parent, 'study.gatescope');

  test('everything stays, and the same request is never computed twice', async () => {
    const first = await go({}, own());
    expect(first.error).toBeUndefined();
    expect(stored(own())).toEqual(['walk', 'walk', 'walk', 'walks']);
    const rows = () => {
      using session = Session.open(own(), 'read');
      return session.results().slice(0, 3);
    };
    const before = rows();
    expect(await go({}, own())).toMatchObject({ error: undefined, engines: 0, presented: first.presented });
    expect(rows()).toEqual(before);
    await go({}, join(parent, 'other.gatescope'));
    using session = Session.open(join(parent, 'other.gatescope'), 'read');
    expect(
      session
        .results()
        .map(({ key, digest }) => [key, digest])
        .slice(0, 3),
    ).toEqual(before.map(({ key, digest }) => [key, digest]));
  });

  test('what was there before stays, whatever happens to the run', async () => {
    ownSession(own()).close();
    expect((await go({ signal: AbortSignal.abort() }, own())).error).toBeInstanceOf(Cancelled);
    expect(existsSync(own())).toBe(true);
    writeFileSync(own(), 'something else');
    expect(() => ownSession(own())).toThrow(/^session: file must be a session \(it is no SQLite file\)/);
    expect(readFileSync(own(), 'utf8')).toBe('something else');
  });
});
