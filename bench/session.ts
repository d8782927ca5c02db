/**
 * `node bench/session.ts [--gigabytes N] [--rounds N] [--json]`: how long a large session file takes to open and list, and to give its first
 * result.
 *
 * Two rivals, each in turns with us on the same numbers: SQLite read by hand from the same file, without any of our checks and digests, which
 * is the least it can take; and one JSON file, as tools in a browser keep such results, of a thirty-second of the numbers, since a gigabyte of
 * them would be more text than JavaScript can hold. `warm` rounds find the file in memory; before `cold` ones the system is told to forget it.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import Database from 'better-sqlite3';
import { Random } from '../engine/base/random.ts';
import { canonicalDigest } from '../main/store/canonical.ts';
import { Session } from '../main/store/session.ts';
import { median, medianInterval } from './statistics.ts';

/** Numbers of one result: an effect for each of 64 pairs, 4 layers, 32 heads and 80 positions. */
const SHAPE = { pair: 64, layer: 4, head: 32, position: 80 };
const NUMBERS = Object.values(SHAPE).reduce((a, b) => a * b, 1);

interface Side {
  readonly name: string;
  /** @returns how many results there are, and the time until that was known and until the first one's numbers were there */
  read(path: string): { readonly count: number; readonly sum: number; readonly listed: number; readonly first: number };
}

function build(path: string, gigabytes: number): void {
  using session = Session.open(path, 'create');
  const random = new Random(0);
  const data = new Float32Array(NUMBERS);
  const count = Math.ceil((gigabytes * 2 ** 30) / data.byteLength);
  const axes = Object.fromEntries(
    Object.entries(SHAPE).map(([name, size]) => [name, { values: Array.from({ length: size }, (_, i) => i) }]),
  );
  for (let seed = 0; seed < count; seed++) {
    random.fillNormal(data, 0, 1);
    const effect = { axes: Object.keys(SHAPE), unit: 'logits', definition: 'effect of one interchange', data };
    const findings = { axes, measures: { effect }, facts: { n: SHAPE.pair } };
    session.saveAnalysis({ key: canonicalDigest(seed), analysis: 'headSweep', version: 1, parameters: { seed }, findings });
    if (process.stderr.isTTY) process.stderr.write(`\r\x1b[Kbuilding: ${seed + 1} of ${count} results`);
  }
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
}

const sum = (values: Iterable<number>): number => {
  let total = 0;
  for (const value of values) total += value;
  return total;
};

const ours: Side = {
  name: 'session',
  read(path) {
    const begun = performance.now();
    using session = Session.open(path, 'read');
    const rows = session.results();
    const listed = performance.now() - begun;
    const { data } = session.result(rows[0].key).findings.measures.effect;
    return { count: rows.length, listed, first: performance.now() - begun, sum: sum(data) };
  },
};

const byHand: Side = {
  name: 'SQLite by hand',
  read(path) {
    const begun = performance.now();
    const database = new Database(path, { readonly: true });
    const rows = database.prepare<[], { key: string }>('SELECT key, analysis, digest, at, seed FROM results ORDER BY rowid').all();
    const listed = performance.now() - begun;
    const { payload } = database.prepare<[string], { payload: string }>('SELECT payload FROM results WHERE key = ?').get(rows[0].key)!;
    const { measures } = JSON.parse(payload) as { measures: { effect: { data: { $tensor: string } } } };
    const chunk = database
      .prepare<[string], Buffer>('SELECT content FROM tensor_chunks WHERE tensor = ?')
      .pluck()
      .get(measures.effect.data.$tensor)!;
    const data = new Float32Array(chunk.buffer, chunk.byteOffset, NUMBERS);
    const first = performance.now() - begun;
    const total = sum(data);
    database.close();
    return { count: rows.length, listed, first, sum: total };
  },
};

const json: Side = {
  name: 'one JSON file',
  read(path) {
    const begun = performance.now();
    const results = JSON.parse(readFileSync(jsonOf(path), 'utf8')) as {
      key: string;
      findings: { measures: { effect: { data: number[] } } };
    }[];
    const listed = performance.now() - begun;
    const data = Float32Array.from(results[0].findings.measures.effect.data);
    return { count: results.length, listed, first: performance.now() - begun, sum: sum(data) };
  },
};

const jsonOf = (path: string): string => `${path}.json`;

/** The results of a session as one JSON file beside it. */
function writeJson(path: string): void {
  using session = Session.open(path, 'read');
  const results = session.results().map((row) => ({ ...row, findings: session.result(row.key).findings }));
  const numbers = (_name: string, value: unknown) => (value instanceof Float32Array ? Array.from(value) : value);
  writeFileSync(jsonOf(path), JSON.stringify(results, numbers));
}

/** Tells the system to forget what it has of a file in memory (GNU dd). */
const forget = (path: string): void => void execFileSync('dd', [`if=${path}`, 'iflag=nocache', 'count=0', 'status=none']);

interface Line {
  readonly name: string;
  readonly rival: string;
  readonly mebibytes: number;
  readonly cache: 'warm' | 'cold';
  readonly oursMs: number;
  readonly worstMs: number;
  readonly rivalMs: number;
  /** rival / ours: above 1, we are faster. */
  readonly ratio: number;
  readonly lo: number;
  readonly hi: number;
}

function compare(path: string, rival: Side, rounds: number, cache: 'warm' | 'cold'): Line[] {
  const mebibytes = statSync(path).size / 2 ** 20;
  const times = { listed: { ours: [] as number[], rival: [] as number[] }, first: { ours: [] as number[], rival: [] as number[] } };
  for (let round = -1; round < rounds; round++) {
    const sides = round % 2 === 0 ? ([ours, rival] as const) : ([rival, ours] as const);
    const read = sides.map((side) => {
      if (cache === 'cold') forget(path);
      return { side, ...side.read(path) };
    });
    if (read[0].count !== read[1].count || read[0].sum !== read[1].sum) throw new Error('bench: both sides must read the same numbers');
    if (round < 0) continue; // warms up
    for (const { side, listed, first } of read) {
      const key = side === ours ? 'ours' : 'rival';
      times.listed[key].push(listed);
      times.first[key].push(first);
    }
  }
  return (['listed', 'first'] as const).map((what) => {
    const { ours: own, rival: other } = times[what];
    const { estimate: ratio, lo, hi } = medianInterval(own.map((time, i) => other[i] / time));
    const name = what === 'listed' ? 'open and list' : 'to the first result';
    return {
      name,
      rival: rival.name,
      mebibytes,
      cache,
      oursMs: median(own),
      worstMs: Math.max(...own),
      rivalMs: median(other),
      ratio,
      lo,
      hi,
    };
  });
}

function textOf({ name, rival, mebibytes, cache, oursMs, worstMs, rivalMs, ratio, lo, hi }: Line): string {
  const ratios = `ratio ${ratio.toFixed(2)} (${lo.toFixed(2)}–${hi.toFixed(2)})`;
  const times = `ours ${oursMs.toFixed(1)} ms (worst ${worstMs.toFixed(1)}), ${rival} ${rivalMs.toFixed(1)} ms`;
  return `${name.padEnd(20)} ${cache}, ${mebibytes.toFixed(0)} MiB: ${times}: ${ratios}`;
}

const { values } = parseArgs({
  options: {
    gigabytes: { type: 'string', default: '1' },
    rounds: { type: 'string', default: '21' },
    json: { type: 'boolean', default: false },
  },
});
const folder = mkdtempSync(join(tmpdir(), 'gatescope-bench-'));
try {
  const [large, small] = ['large.gatescope', 'small.gatescope'].map((name) => join(folder, name));
  const [gigabytes, rounds] = [Number(values.gigabytes), Number(values.rounds)];
  build(large, gigabytes);
  build(small, gigabytes / 32);
  writeJson(small);
  const lines = [
    ...compare(large, byHand, rounds, 'warm'),
    ...compare(large, byHand, rounds, 'cold'),
    ...compare(small, json, rounds, 'warm'),
  ];
  for (const line of lines) console.log(values.json ? JSON.stringify({ ...line, rounds }) : textOf(line));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
