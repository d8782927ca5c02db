/** Progress as a person sees it: its text, when it is shown, and the estimate behind it. */
import { describe, expect, test } from 'vitest';
import type { Progress } from '../../engine/contract.ts';
import { ProgressBoard } from '../../engine/protocols/progressBoard.ts';
import { durationText, ProgressLine, progressText } from './progressLine.ts';

test.each([
  [0.4, '0 s'],
  [1.6, '2 s'],
  [89.4, '89 s'],
  [90, '2 min'],
  [150, '3 min'],
  [5399, '90 min'],
  [5400, '1.5 h'],
  [86_400, '24.0 h'],
])('durationText(%d)', (seconds, text) => expect(durationText(seconds)).toBe(text));

test.each<[Progress, string]>([
  [{ stage: 'foundation: images', done: 0, total: 1 }, '░░░░░░░░░░░░░░░░░░░░░░░░    0 %  foundation: images'],
  [
    { stage: 'foundation, epoch 1 of 2', done: 42, total: 100, remaining: 5.2, figures: { loss: 0.31214 } },
    '██████████░░░░░░░░░░░░░░   42 %  foundation, epoch 1 of 2  loss 0.3121  about 5 s left',
  ],
  [{ stage: 'done', done: 4, total: 4, remaining: 0 }, '████████████████████████  100 %  done'],
  [{ stage: 'beyond', done: 5, total: 4 }, '████████████████████████  100 %  beyond'],
  [{ stage: 'of nothing', done: 0, total: 0 }, '░░░░░░░░░░░░░░░░░░░░░░░░    0 %  of nothing'],
  [{ stage: 'a', done: 1, total: 2, figures: { loss: NaN, rate: 1e-8 } }, '████████████░░░░░░░░░░░░   50 %  a  loss NaN  rate 1.000e-8'],
])('progressText %#', (progress, text) => expect(progressText(progress)).toBe(text));

describe('ProgressLine', () => {
  const on = (isTTY: boolean, columns = 40) => {
    const written: string[] = [];
    const out = { isTTY, columns, write: (text: string) => written.push(text) > 0 };
    return { line: new ProgressLine(out as unknown as NodeJS.WriteStream), written };
  };
  const progress = { stage: 'foundation', done: 1, total: 2 };

  test('rewrites one line of a terminal, no longer than it is wide, and leaves none', () => {
    const { line, written } = on(true);
    line.clear();
    line.show(progress);
    line.show({ ...progress, done: 2 });
    line.clear();
    line.clear();
    expect(written).toEqual([
      `\r\u001b[2K${'█'.repeat(12)}${'░'.repeat(12)}   50 %  founda`,
      `\r\u001b[2K${'█'.repeat(24)}  100 %  founda`,
      '\r\u001b[2K',
    ]);
  });

  test('writes a line now and then elsewhere, without control characters', () => {
    const { line, written } = on(false);
    for (let i = 0; i < 1000; i++) line.show(progress);
    line.clear();
    expect(written.length).toBeLessThanOrEqual(1);
    expect(written.join('')).not.toMatch(/[\r\u001b]/);
  });
});

describe('ProgressBoard', () => {
  /** Four jobs, of which some are there already; the others take 10 s each and say so halfway. */
  async function board(given: number) {
    let seconds = 0;
    const shown: Progress[] = [];
    const watched = new ProgressBoard(
      4,
      (progress) => shown.push(progress),
      () => 1000 * seconds,
    ).watched(async <Result>(_request: unknown, onProgress?: (progress: Progress) => void) => {
      if (given-- > 0) return undefined as Result;
      onProgress?.({ stage: 'halfway', done: 1, total: 2 });
      seconds += 5;
      onProgress?.({ stage: 'halfway', done: 1, total: 2 });
      seconds += 5;
      return undefined as Result;
    });
    for (let i = 0; i < 4; i++) await watched({ kind: 'a', parameters: {} });
    return shown;
  }

  test('never falls, and ends with all done and nothing left', async () => {
    for (const given of [0, 1, 3]) {
      const shown = await board(given);
      const done = shown.map((progress) => progress.done);
      expect(done).toEqual([...done].sort((a, b) => a - b));
      expect(shown.at(-1)).toMatchObject({ done: 4, total: 4, remaining: 0 });
    }
  });

  test('estimates from what was made now, not from what was kept', async () => {
    const shown = await board(2);
    expect(shown.slice(0, 2)).toEqual(Array(2).fill({ stage: 'kept from before', done: expect.any(Number) as number, total: 4 }));
    // Half a job took 5 s, one and a half are left.
    expect(shown[3]).toMatchObject({ stage: 'halfway', done: 2.5, remaining: 15 });
  });

  test('has no estimate when all was there', async () => {
    for (const progress of await board(4)) expect(progress.remaining).toBeUndefined();
  });
});
