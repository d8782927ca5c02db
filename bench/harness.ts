/**
 * One comparison: ours and a rival as two processes that live side by side, agree on their figures, and take turns.
 *
 * Rounds alternate A B, B A, A B …; each pair gives one ratio rival/ours (> 1: we are faster), the answer is the median of these ratios with
 * its bootstrap interval. With one thread both are pinned to one core, where the one that waits costs the other nothing.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { checkReady, checkRound } from './agreement.ts';
import { Side, type Command, type Ready } from './side.ts';
import { median, medianInterval } from './statistics.ts';
import type { Suite } from './suites.ts';

/** Lets the other side's thread pool stop spinning before the next round begins. */
const SETTLE_MILLISECONDS = 50;

export interface Measurement {
  ratio: number;
  lo: number;
  hi: number;
  /** Milliseconds per unit of the suite (step, sweep, protocol): medians over the rounds. */
  oursMs: number;
  rivalMs: number;
  peakMiB: { ours: number; rival: number };
  /** Largest deviation of the figures both sides had to agree on. */
  deviation: number;
  rounds: number;
  ratios: number[];
  ready: { ours: Ready; rival: Ready };
}

export type Progress = (text: string) => void;

export async function compare(suite: Suite, ours: Command, rival: Command, rounds: number, progress: Progress): Promise<Measurement> {
  await using a = new Side(ours);
  const oursReady = await a.ready(); // one after the other: neither starts up in the other's time
  await using b = new Side(rival);
  const rivalReady = await b.ready();
  const deviation = checkReady(suite, oursReady, rivalReady);
  checkRound(suite, await a.round(suite.work), await b.round(suite.work)); // warms up

  const [oursSeconds, rivalSeconds, ratios]: [number[], number[], number[]] = [[], [], []];
  const timed = async (side: Side): Promise<number> => {
    await pause(SETTLE_MILLISECONDS);
    return (await side.round(suite.work)).seconds;
  };
  for (let round = 0; round < rounds; round++) {
    const oursFirst = round % 2 === 0;
    let seconds = oursFirst ? await timed(a) : 0;
    const rivals = await timed(b);
    if (!oursFirst) seconds = await timed(a);
    oursSeconds.push(seconds);
    rivalSeconds.push(rivals);
    ratios.push(rivals / seconds);
    progress(`${suite.name}: round ${round + 1}/${rounds}, ratio ${median(ratios).toFixed(2)}`);
  }
  const { estimate, lo, hi } = medianInterval(ratios);
  const perUnit = (seconds: number[]): number => (median(seconds) * 1000) / suite.work;
  return {
    ratio: estimate,
    lo,
    hi,
    oursMs: perUnit(oursSeconds),
    rivalMs: perUnit(rivalSeconds),
    peakMiB: { ours: await a.end(), rival: await b.end() },
    deviation,
    rounds,
    ratios,
    ready: { ours: oursReady, rival: rivalReady },
  };
}
