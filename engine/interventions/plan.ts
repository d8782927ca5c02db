/**
 * What a run of interventions will cost, said before it runs: whole forwards the plain way takes, runs that are made instead, what the graph proves,
 * what must be run whole and why, arithmetic, time and bytes. Counts are upper bounds: what turns out to leave everything as it was is not run.
 */
import type { Executor } from '../execute/executor.ts';
import { evaluate, type Bindings } from '../graph/dimension.ts';
import { program, type Program } from '../graph/program.ts';
import type { PairSet } from '../tasks/pairs.ts';
import { branchProgram, shapeKey, type BranchShape } from './branchProgram.ts';
import { branchCount } from './branchRun.ts';
import { armSource } from './donors.ts';
import type { Effects } from './effects.ts';
import { Groups, type Group } from './groups.ts';
import type { Arm } from './intervention.ts';
import { promptFeeds, type ModelGraph } from './modelGraph.ts';
import { chunkRows, chunksOf } from './places.ts';
import { expectedShape, observedOf, type Ways } from './planner.ts';
import type { Resolved, ResolvedIntervention } from './resolve.ts';
import { branchesOf } from './suffix.ts';
import { Tokens } from './tokens.ts';

export interface Plan {
  readonly pairs: number;
  readonly interventions: number;
  /** Pairs are run in so many parts, of at most so many pairs. */
  readonly chunks: number;
  readonly rows: number;
  /** Forwards of all pairs that the plain way takes: base, donors, and one for every intervention and every further site it writes to. */
  readonly naiveForwards: number;
  /** Forwards of all pairs that are made: base and donors, and what is run whole. */
  readonly forwards: number;
  /** Runs of branches, over all chunks. */
  readonly runs: number;
  /** Interventions that are proved to change nothing. */
  readonly proved: readonly string[];
  /** Interventions that are run whole, and why. */
  readonly wholes: Effects['wholes'];
  /** Multiplications and additions of products, of the plain way and of the planned one. */
  readonly work: { readonly naive: number; readonly planned: number };
  /** Expected, where the cost of a unit of work was measured. */
  readonly seconds?: { readonly naive: number; readonly planned: number };
  /** Of the effects that are handed out, pair by pair; of the largest run and of the unchanged values of one chunk, in each thread. */
  readonly bytes: { readonly effects: number; readonly run: number; readonly chunk: number };
  /** The interventions that one correction for many tests covers (max-T): all that the run asks for. */
  readonly family: readonly string[];
}

/** @param secondsPerWork what one multiplication and addition takes, if it was measured */
export function planOf(model: ModelGraph, resolved: Resolved, ways: Ways, secondsPerWork?: number): Plan {
  const { pairs, interventions, metrics, observations, base } = resolved;
  const { config } = model;
  const chunks = chunksOf(pairs, chunkRows(config.width, pairs.length));
  const rows = Math.max(...chunks.map((chunk) => chunk.length));
  const { whole, reasons } = ways.of(resolved);
  const observed = observedOf(resolved);
  const forward = program({ logits: model.logits });
  const work = (of: Program, sizes: Record<string, number>) => workOf(of, new Map(Object.entries({ positions: pairs.length, ...sizes })));
  const each = work(forward, { rows: pairs.pairs });

  const sources = new Set(
    interventions.flatMap(({ sites }) => sites.flatMap(({ writes }) => writes.flatMap(({ donor }) => donor?.source?.key ?? []))),
  );
  sources.add(armSource(pairs, base).key);
  const forwardsOf = ({ sites }: ResolvedIntervention) => Math.max(1, sites.length);
  const naiveForwards = sources.size + interventions.reduce((sum, own) => sum + forwardsOf(own), 0);
  const wholeForwards = [...whole].reduce((sum, i) => sum + forwardsOf(interventions[i]), 0);

  const programs = new Map<string, Program>();
  const programOf = (shape: BranchShape) => {
    const key = shapeKey(shape);
    let found = programs.get(key);
    if (!found) programs.set(key, (found = branchProgram(model, shape).program));
    return found;
  };
  const tokens = new Tokens(pairs, base);
  const ran = new Set<number>();
  let [runs, planned, run] = [0, 0, 0];
  for (const chunk of chunks) {
    const read = pairs.read[chunk[0]];
    const expected = interventions.map((own, i) => (whole.has(i) ? undefined : expectedShape(own, resolved, observed, ways, chunk)));
    const groups = new Groups<number>(model, pairs, chunk, read, expected, ways);
    const count = ({ shape, from, entries }: Group<number>) => {
      const sizes: Record<string, number> = { rows: chunk.length, own: 1 + read - from };
      entries.forEach((members, entry) => (sizes[branchesOf(entry).text] = branchCount(members)));
      runs++;
      planned += work(programOf(shape), sizes);
      run = Math.max(run, bytesOf(programOf(shape), new Map(Object.entries({ positions: pairs.length, ...sizes }))));
    };
    interventions.forEach((own, i) => {
      const shape = expected[i];
      const from = shape && tokens.firstChange(own, chunk, (site) => ways.earlierMatters(site, observed));
      if (from === undefined) return;
      ran.add(i);
      const full = groups.add(from === read ? { ...shape!, mode: 'read' } : shape!, from, i);
      if (full) count(full);
    });
    groups.rest().forEach(count);
  }
  const total = { naive: naiveForwards * each, planned: planned + (sources.size + wholeForwards) * each };
  const observedNumbers = observations.reduce((sum, { size }) => sum + size, 0);
  return {
    pairs: pairs.pairs,
    interventions: interventions.length,
    chunks: chunks.length,
    rows,
    naiveForwards,
    forwards: sources.size + wholeForwards,
    runs,
    proved: interventions.flatMap(({ id }, i) => (whole.has(i) || ran.has(i) ? [] : [id])),
    wholes: reasons,
    work: total,
    ...(secondsPerWork !== undefined && { seconds: { naive: total.naive * secondsPerWork, planned: total.planned * secondsPerWork } }),
    bytes: {
      effects: 4 * pairs.pairs * (interventions.length + 1) * (metrics.length + observedNumbers),
      run,
      chunk: sources.size * bytesOf(forward, new Map(Object.entries({ positions: pairs.length, rows }))),
    },
    family: interventions.map(({ id }) => id),
  };
}

/** The plan of runs that follow one another (path patching: what the senders send, then what the receivers make of it). */
export function joined(plans: readonly Plan[]): Plan {
  const sum = (of: (plan: Plan) => number) => plans.reduce((total, plan) => total + of(plan), 0);
  const most = (of: (plan: Plan) => number) => Math.max(...plans.map(of));
  const last = plans[plans.length - 1];
  const seconds = plans.every((plan) => plan.seconds)
    ? { naive: sum((plan) => plan.seconds!.naive), planned: sum((plan) => plan.seconds!.planned) }
    : undefined;
  const { seconds: _seconds, ...rest } = last;
  return {
    ...rest,
    naiveForwards: sum((plan) => plan.naiveForwards),
    forwards: sum((plan) => plan.forwards),
    runs: sum((plan) => plan.runs),
    wholes: plans.flatMap((plan) => plan.wholes),
    work: { naive: sum((plan) => plan.work.naive), planned: sum((plan) => plan.work.planned) },
    ...(seconds && { seconds }),
    bytes: { effects: most(({ bytes }) => bytes.effects), run: most(({ bytes }) => bytes.run), chunk: most(({ bytes }) => bytes.chunk) },
  };
}

/** Forwards that are timed; the fastest counts. */
const TIMED = 3;

/** Seconds of one multiplication and addition in a whole forward of the first chunk. @param now a clock, in seconds */
export function secondsPerWork(executor: Executor, model: ModelGraph, pairs: PairSet, base: Arm, now: () => number): number {
  const [chunk] = chunksOf(pairs, chunkRows(model.config.width, pairs.length));
  const { length } = pairs;
  const source = armSource(pairs, base);
  const tokens = new Int32Array(chunk.length * length);
  chunk.forEach((pair, row) => tokens.set(source.tokens(pair), row * length));
  const whole = program({ logits: model.logits });
  const run = executor.compile(whole);
  const feeds = { ...model.weights, ...promptFeeds(model, pairs), tokens: { data: tokens, shape: [chunk.length, length] } };
  let best = Infinity;
  for (let i = 0; i < TIMED; i++) {
    const began = now();
    run.run(feeds);
    best = Math.min(best, now() - began);
  }
  run.dispose();
  return (
    best /
    workOf(
      whole,
      new Map([
        ['rows', chunk.length],
        ['positions', length],
      ]),
    )
  );
}

/** The plan in words, line by line. */
export function planText(plan: Plan): string {
  const { naiveForwards, forwards, runs, chunks, rows, proved, wholes, seconds, work, bytes, family } = plan;
  const times = (work.naive / Math.max(work.planned, 1)).toPrecision(2);
  return [
    `${plan.interventions} interventions on ${plan.pairs} pairs, in ${chunks} ${chunks === 1 ? 'part' : 'parts'} of at most ${rows}`,
    `plain way: ${naiveForwards} whole forwards; planned: ${forwards} whole forwards and ${runs} runs of branches, 1/${times} of the arithmetic`,
    ...(seconds ? [`expected time: ${duration(seconds.planned)} (plain way ${duration(seconds.naive)})`] : []),
    `proved to change nothing: ${proved.length}`,
    `memory: at most ${megabytes(bytes.run)} for a run and ${megabytes(bytes.chunk)} for unchanged values of a part, in each thread; effects ${megabytes(bytes.effects)}`,
    `family of tests: ${family.length} interventions under one max-T`,
    ...[...new Set(wholes.map(({ reason }) => reason))].map(
      (reason) => `run whole: ${wholes.filter((own) => own.reason === reason).length}, since ${reason}`,
    ),
  ].join('\n');
}

const megabytes = (bytes: number): string => `${(bytes / 2 ** 20).toPrecision(2)} MB`;
const duration = (seconds: number): string => (seconds < 60 ? `${seconds.toPrecision(2)} s` : `${(seconds / 60).toPrecision(2)} min`);

/** Multiplications and additions of all products. */
export function workOf({ nodes }: Program, bindings: Bindings): number {
  let total = 0;
  for (const { operation, inputs, outputs, attributes } of nodes) {
    if (operation.name !== 'matmul') continue;
    const [a] = inputs;
    const inner = a.shape[attributes.transposeA ? a.rank - 2 : a.rank - 1];
    total += outputs[0].shape.reduce<number>((product, dimension) => product * evaluate(dimension, bindings), evaluate(inner, bindings));
  }
  return total;
}

/** Bytes of what a run is given, gives, and holds at once at the most: its three widest values. */
function bytesOf({ inputs, outputs, nodes }: Program, bindings: Bindings): number {
  const size = ({ shape }: { readonly shape: Program['nodes'][number]['outputs'][number]['shape'] }) =>
    4 * shape.reduce<number>((product, dimension) => product * evaluate(dimension, bindings), 1);
  const given = [...inputs.values(), ...outputs.values()].map(size);
  const widest = nodes.flatMap((node) => node.outputs.map(size)).sort((a, b) => b - a);
  return [...given, ...widest.slice(0, 3)].reduce((a, b) => a + b, 0);
}
