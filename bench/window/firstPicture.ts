/**
 * How long a session takes from a double click in Home to the first picture of Modes: the demonstration, and the demonstration with a gigabyte
 * of other results in its file. What the size costs is their ratio. In each round the program is started anew, and the session opened twice: the
 * first time everything in the window runs for the first time as well.
 */
import { copyFileSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Random } from '../../engine/base/random.ts';
import { canonicalDigest } from '../../main/store/canonical.ts';
import { Session } from '../../main/store/session.ts';
import { medianInterval } from '../statistics.ts';
import { named, summary, type Figure } from './figure.ts';
import { closedProgram, closeSession, DEMONSTRATION, openTimed, put, select } from './home.ts';

/** Of a filler: an effect for each of 64 pairs, 4 layers, 32 heads and 80 positions, as in bench/session.ts. */
const SHAPE = { pair: 64, layer: 4, head: 32, position: 80 };
const NUMBERS = Object.values(SHAPE).reduce((a, b) => a * b, 1);
const MOST = 500;

/** Adds results until the file has grown by so much. */
function fill(path: string, gigabytes: number): void {
  using session = Session.open(path, 'write');
  const random = new Random(0);
  const data = new Float32Array(NUMBERS);
  const axes = Object.fromEntries(
    Object.entries(SHAPE).map(([name, size]) => [name, { values: Array.from({ length: size }, (_, i) => i) }]),
  );
  for (let seed = 0; seed < Math.ceil((gigabytes * 2 ** 30) / data.byteLength); seed++) {
    random.fillNormal(data, 0, 1);
    const effect = { axes: Object.keys(SHAPE), unit: 'logits', definition: 'effect of one interchange', data };
    const findings = { axes, measures: { effect }, facts: { n: SHAPE.pair } };
    session.saveAnalysis({ key: canonicalDigest(seed), analysis: 'headSweep', version: 1, parameters: { seed }, findings });
  }
}

interface Times {
  readonly first: number[];
  readonly again: number[];
}

export async function firstPicture(rounds: number, gigabytes: number): Promise<Figure[]> {
  const folder = mkdtempSync(join(tmpdir(), 'gatescope-bench-'));
  try {
    await using program = await closedProgram();
    const built = join(folder, 'large.gatescope');
    copyFileSync(DEMONSTRATION, built);
    fill(built, gigabytes);
    const large = put(program, 'Large.gatescope', built, 'move');
    const small = put(program, 'Small.gatescope', DEMONSTRATION);
    const mebibytes = statSync(large).size / 2 ** 20;
    const times = { large: { first: [], again: [] } as Times, small: { first: [], again: [] } as Times };
    for (let round = -1; round < rounds; round++)
      for (const side of round % 2 === 0 ? (['large', 'small'] as const) : (['small', 'large'] as const)) {
        const page = await program.open();
        const path = side === 'large' ? large : small;
        await select(page, path);
        const first = await openTimed(page, path);
        await closeSession(page);
        await select(page, path);
        const again = await openTimed(page, path);
        await program.close();
        if (round < 0) continue; // warms up
        times[side].first.push(first);
        times[side].again.push(again);
      }
    return (['first', 'again'] as const).map((when): Figure => {
      const { estimate: ratio, lo, hi } = medianInterval(times.large[when].map((time, i) => time / times.small[when][i]));
      return {
        name: `first picture, ${when === 'first' ? 'the first session after a start' : 'opened again'}`,
        what: `${mebibytes.toFixed(0)} MiB (large) against the demonstration alone (small): double click in Home to the marks of Modes`,
        unit: 'ms',
        values: {
          ...named('large', summary(times.large[when])),
          ...named('small', summary(times.small[when])),
          'large/small': ratio,
          'large/small.lo': lo,
          'large/small.hi': hi,
        },
        aim: { value: 'large.median', most: MOST },
        raw: { large: times.large[when], small: times.small[when] },
      };
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
