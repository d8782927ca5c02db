/**
 * Interventions by the fewest runs that give what whole forwards give (wholeRunner.ts): unchanged values are found once for a chunk of pairs, and
 * each intervention recomputes only what its writes can reach, several in one run as branches of a suffix. What cannot matter is proved and not run;
 * what the model does not let be cut is run whole, with the reason.
 */
import { throwIfCancelled } from '../base/errors.ts';
import type { Executable, Executor } from '../execute/executor.ts';
import type { PairSet } from '../tasks/pairs.ts';
import { branchProgram, shapeKey, type BranchProgram, type BranchShape, type Observed } from './branchProgram.ts';
import { branchFeeds, BranchResults } from './branchRun.ts';
import { Captures, type Wanted } from './captures.ts';
import { distances, evaluate, type Change, type Evaluated } from './changes.ts';
import { armSource, Means, type Capture, type Source } from './donors.ts';
import type { Effects, Runner, RunOptions } from './effects.ts';
import { EffectsStore, type StoredEffects } from './effectsStore.ts';
import type { Arm, Intervention } from './intervention.ts';
import { modelGraph, Parts, promptFeeds, type ModelGraph, type Site, type TransformerModel } from './modelGraph.ts';
import { stepsOf, withPaths } from './pathPatching.ts';
import { capacity, chunkRows, chunksOf, type Chunk, type Places } from './places.ts';
import { joined, planOf, secondsPerWork, type Plan } from './plan.ts';
import { expectedShape, observedOf, Ways } from './planner.ts';
import { resolve, type Resolved } from './resolve.ts';
import { WholeRunner } from './wholeRunner.ts';

export interface PlannedOptions {
  /** Bytes of unchanged values kept between runs on the same pairs. */
  readonly cacheBytes?: number;
}

const CACHE_BYTES = 256 * 2 ** 20;
/** Programs kept, the least recently used going first; each holds some megabytes. */
const PROGRAMS = 64;

/** What was done, and what is still to do. */
interface Stored {
  readonly planned: StoredEffects;
  readonly whole?: unknown;
}

export class PlannedRunner implements Runner {
  readonly #executor: Executor;
  readonly #model: ModelGraph;
  readonly #captures: Captures;
  readonly #whole: WholeRunner;
  readonly #ways: Ways;
  readonly #programs = new Map<string, { readonly program: BranchProgram; readonly run: Executable }>();
  #runs = 0;
  #turn: Promise<void> = Promise.resolve();

  /** @throws UserError for parameters that do not fit the model or are not finite */
  constructor(executor: Executor, model: TransformerModel | ModelGraph, { cacheBytes = CACHE_BYTES }: PlannedOptions = {}) {
    this.#executor = executor;
    this.#model = 'graph' in model ? model : modelGraph(model);
    this.#captures = new Captures(executor, this.#model, cacheBytes);
    this.#whole = new WholeRunner(executor, this.#model);
    this.#ways = new Ways(this.#model);
  }

  /** Runs so far: whole forwards of chunks, and runs of branches. Those of interventions that had to be run whole are not among them. */
  get runs(): { readonly forwards: number; readonly branches: number } {
    return { forwards: this.#captures.forwards, branches: this.#runs };
  }

  /** Says what a run will cost. @param secondsPerWork as {@link measureWork} gives it @throws UserError as the run would */
  plan(pairs: PairSet, base: Arm, interventions: readonly Intervention[], options: RunOptions = {}, secondsPerWork?: number): Plan {
    const steps = stepsOf(this.#model, pairs, base, interventions, options);
    const plans = steps.map(([own, settings]) =>
      planOf(this.#model, resolve(this.#model, pairs, base, own, settings), this.#ways, secondsPerWork),
    );
    return plans.length === 1 ? plans[0] : joined(plans);
  }

  /** Seconds of one multiplication and addition of a whole forward here and now, for {@link plan}. @param now a clock, in seconds */
  measureWork(pairs: PairSet, base: Arm, now: () => number): number {
    return secondsPerWork(this.#executor, this.#model, pairs, base, now);
  }

  async run(pairs: PairSet, base: Arm, interventions: readonly Intervention[], options: RunOptions = {}): Promise<Effects> {
    // One run at a time: what is kept belongs to the pairs of the run at hand.
    const before = this.#turn;
    let done = () => {};
    this.#turn = new Promise((resolved) => (done = resolved));
    await before;
    try {
      return await withPaths(this.#model, pairs, base, interventions, options, (plain, own) => this.#run(pairs, base, plain, own));
    } finally {
      done();
    }
  }

  dispose(): void {
    for (const { run } of this.#programs.values()) run.dispose();
    this.#programs.clear();
    this.#captures.dispose();
    this.#whole.dispose();
  }

  async #run(pairs: PairSet, base: Arm, interventions: readonly Intervention[], options: RunOptions): Promise<Effects> {
    const resolved = resolve(this.#model, pairs, base, interventions, options);
    const { context = {} } = options;
    const { whole, reasons } = this.#ways.of(resolved);
    const planned = resolved.interventions.map((_own, i) => i).filter((i) => !whole.has(i));
    const store = new EffectsStore(resolved, this.#model.config.vocabulary);
    const chunks = chunksOf(pairs, chunkRows(this.#model.config.width, pairs.length));
    const resumed = context.resume as Stored | undefined;
    const done = resumed === undefined ? 0 : store.restore(resumed.planned);
    const total = chunks.length * interventions.length;
    const breathe = async (at: number) => {
      throwIfCancelled(context.signal);
      context.progress?.({ stage: 'interventions', done: at, total });
      await context.breathe?.();
    };
    await breathe(done * planned.length);
    const sweep = new Sweep(this.#model, this.#captures, resolved, planned, (shape) => this.#program(shape), this.#ways);
    if (done < chunks.length) sweep.findMeans(chunks);
    for (let number = done; number < chunks.length; number++) {
      const chunk = chunks[number];
      sweep.base(chunk, store);
      for (const ran of sweep.changed(chunk, store)) {
        this.#runs++;
        await breathe(number * planned.length + ran);
      }
      await breathe((number + 1) * planned.length);
      await context.checkpoint?.({ planned: store.stored(number + 1) } satisfies Stored);
    }
    if (whole.size > 0) {
      const rest = [...whole].map((i) => interventions[i]);
      const finished = store.stored(chunks.length);
      const effects = await this.#whole.run(pairs, base, rest, {
        ...options,
        context: {
          ...context,
          resume: resumed?.whole,
          progress: ({ done }) =>
            context.progress?.({ stage: 'interventions, whole forwards', done: chunks.length * planned.length + done, total }),
          checkpoint: async (state) => context.checkpoint?.({ planned: finished, whole: state } satisfies Stored),
        },
      });
      [...whole].forEach((i, own) => store.take(i, effects, own));
    }
    return store.effects(reasons);
  }

  #program(shape: BranchShape) {
    const key = shapeKey(shape);
    let found = this.#programs.get(key);
    if (!found) {
      const made = branchProgram(this.#model, shape);
      found = { program: made, run: this.#executor.compile(made.program) };
    }
    this.#programs.delete(key);
    this.#programs.set(key, found);
    for (const [old, { run }] of this.#programs) {
      if (this.#programs.size <= PROGRAMS) break;
      run.dispose();
      this.#programs.delete(old);
    }
    return found;
  }
}

type Compiled = (shape: BranchShape) => { readonly program: BranchProgram; readonly run: Executable };

/** Changes of one shape that begin at one position, by intervention. */
interface Group {
  readonly shape: BranchShape;
  readonly members: { readonly intervention: number; readonly change: Change; readonly evaluated: Evaluated }[];
}

/** One run of the planned interventions on one set of pairs. */
class Sweep {
  readonly #model: ModelGraph;
  readonly #captures: Captures;
  readonly #resolved: Resolved;
  readonly #planned: readonly number[];
  readonly #compiled: Compiled;
  readonly #ways: Ways;
  readonly #base: Source;
  readonly #observed: readonly Observed[];
  readonly #means = new Means();
  readonly #common;

  constructor(model: ModelGraph, captures: Captures, resolved: Resolved, planned: readonly number[], compiled: Compiled, ways: Ways) {
    this.#model = model;
    this.#captures = captures;
    this.#resolved = resolved;
    this.#planned = planned;
    this.#compiled = compiled;
    this.#ways = ways;
    this.#base = armSource(resolved.pairs, resolved.base);
    this.#observed = observedOf(resolved);
    this.#common = { ...model.weights, ...promptFeeds(model, resolved.pairs) };
    captures.begin(resolved.pairs);
    this.#expect();
  }

  findMeans(chunks: readonly Chunk[]): void {
    const writes = this.#planned.flatMap((i) => this.#resolved.interventions[i].sites.flatMap((own) => own.writes));
    this.#means.find(writes, chunks, this.#capture);
  }

  /** Metrics and observations of the unchanged run. */
  base(chunk: Chunk, store: EffectsStore): void {
    const { vocabulary } = this.#model.config;
    const { data } = this.#captures.get(this.#base, chunk, this.#logits);
    chunk.forEach((pair, row) => store.measure(undefined, pair, data as Float32Array, row * vocabulary));
    this.#resolved.observations.forEach(({ site, index, places }, i) => {
      const values = this.#capture(this.#base, chunk, site, places);
      const parts = new Parts(site, values.tensor, index);
      store.observe(undefined, i, chunk, (row, position, into, at) => parts.read(row, values.onlyRead ? 0 : position, into, at));
    });
  }

  /** Runs everything on a chunk. Yields after every run: how many of the interventions are done. */
  *changed(chunk: Chunk, store: EffectsStore): Generator<number, void, void> {
    const groups = new Map<string, Group>();
    const read = this.#resolved.pairs.read[chunk[0]];
    let done = 0;
    for (const intervention of this.#planned) {
      const evaluated = evaluate(this.#resolved.interventions[intervention], {
        chunk,
        read,
        base: this.#base,
        means: this.#means,
        capture: this.#capture,
        earlierMatters: (site) => this.#ways.earlierMatters(site, this.#observed),
        below: (site, other) => this.#ways.below(site, other),
      });
      const { change } = evaluated;
      if (!change) {
        chunk.forEach((pair) => store.unchanged(intervention, pair));
        this.#moved(store, intervention, evaluated, chunk, read);
        done++;
        continue;
      }
      const shape: BranchShape = {
        mode: change.from === read ? 'read' : change.single ? 'single' : 'spread',
        first: change.first.map(({ site }) => site),
        later: change.later.map(({ site }) => site),
        observed: this.#observed,
      };
      const key = `${shapeKey(shape)}|${change.from}`;
      const group = groups.get(key) ?? { shape, members: [] };
      groups.set(key, group);
      group.members.push({ intervention, change, evaluated });
      const { from } = change;
      if (group.members.length < capacity(chunk.length, 1 + read - from)) continue;
      groups.delete(key);
      this.#branches(chunk, read, group, store);
      yield (done += group.members.length);
    }
    for (const group of groups.values()) {
      this.#branches(chunk, read, group, store);
      yield (done += group.members.length);
    }
  }

  #branches(chunk: Chunk, read: number, { shape, members }: Group, store: EffectsStore): void {
    const { program, run } = this.#compiled(shape);
    const changes = members.map(({ change }) => change);
    const [{ from }] = changes;
    const caches = Object.fromEntries(
      program.caches.map(({ name, value, axis, part }) => [name, this.#captures.get(this.#base, chunk, { value, axis, part })]),
    );
    const clean = (site: Site) => {
      const whole = shape.mode !== 'read';
      const parts = new Parts(
        site,
        this.#captures.get(this.#base, chunk, { value: site.value, axis: site.axis, part: whole ? 'whole' : 'at' }),
      );
      return (row: number, position: number, into: Float32Array) => parts.read(row, whole ? position : 0, into);
    };
    const feeds = branchFeeds(program, changes, { rows: chunk.length, read, length: this.#resolved.pairs.length, clean });
    const after = shape.mode === 'read' ? 0 : read - from;
    const results = new BranchResults(run.run({ ...this.#common, ...caches, ...feeds }), members.length, after);
    members.forEach(({ intervention, change, evaluated }, branch) => {
      chunk.forEach((pair, row) => {
        const { data, at } = results.logits(row, branch);
        store.measure(intervention, pair, data, at);
      });
      this.#moved(store, intervention, evaluated, chunk, read, (site, row) =>
        change.later.some((own) => own.site === site) ? results.moved(site, row, branch) : undefined,
      );
      this.#observe(store, intervention, chunk, results, branch, from);
    });
  }

  /** Notes how far every site was moved: of one below another, as the run found it from the first change on. */
  #moved(
    store: EffectsStore,
    intervention: number,
    { sites, fired, change }: Evaluated,
    chunk: Chunk,
    read: number,
    found: (site: Site, row: number) => number | undefined = () => undefined,
  ): void {
    const squared = new Float64Array(chunk.length);
    for (const own of sites) {
      const later = change?.later.includes(own) ?? false;
      const before = distances(own, later ? Math.min(change!.from, read + 1) : read + 1);
      before.forEach((distance, row) => (squared[row] += distance + (found(own.site, row) ?? 0)));
    }
    chunk.forEach((_pair, row) => store.moved(intervention, fired[row], squared[row]));
  }

  #observe(store: EffectsStore, intervention: number, chunk: Chunk, results: BranchResults, branch: number, from: number): void {
    this.#resolved.observations.forEach(({ site, index, places }, i) => {
      const last = this.#observed[i].range === 'last';
      const changed = results.observed(i, site, index, branch, last ? undefined : from);
      if (last) return store.observe(intervention, i, chunk, changed);
      const clean = this.#capture(this.#base, chunk, site, places);
      const parts = new Parts(site, clean.tensor, index);
      store.observe(intervention, i, chunk, (row, position, into, at) =>
        position < from || position > this.#resolved.pairs.read[chunk[0]]
          ? parts.read(row, clean.onlyRead ? 0 : position, into, at)
          : changed(row, position, into, at),
      );
    });
  }

  readonly #capture: Capture = (source, chunk, site, places) => {
    const read = this.#resolved.pairs.read[chunk[0]];
    const onlyRead = chunk.every((pair) => places[source.pairOf(pair)].every((position) => position === read));
    return { tensor: this.#captures.get(source, chunk, wantedSite(site, onlyRead)), onlyRead };
  };

  get #logits(): Wanted {
    return { value: this.#model.logits, axis: 1, part: 'at' };
  }

  /** Says what will be needed of every prompt, so that one forward finds all of it; arms get all that the base gets, for the way back. */
  #expect(): void {
    const { interventions, observations, pairs } = this.#resolved;
    const onlyRead = (places: Places) => places.every((own, pair) => own.every((position) => position === pairs.read[pair]));
    const arms = new Set<Source>([this.#base]);
    const all: Wanted[] = [this.#logits, ...observations.map(({ site, places }) => wantedSite(site, onlyRead(places)))];
    const seen = new Set<string>();
    for (const i of this.#planned) {
      for (const { site, writes } of interventions[i].sites)
        for (const { donor, places } of writes) {
          all.push(wantedSite(site, onlyRead(places)));
          if (!donor?.source) continue;
          if (donor.source.key in pairs.arms) arms.add(donor.source);
          else this.#captures.expect(donor.source.key, wantedSite(site, onlyRead(places)));
        }
      const shape = expectedShape(interventions[i], this.#resolved, this.#observed, this.#ways);
      if (seen.has(shapeKey(shape))) continue;
      seen.add(shapeKey(shape));
      for (const { value, axis, part } of this.#compiled(shape).program.caches) all.push({ value, axis, part });
      for (const site of shape.first) all.push(wantedSite(site, shape.mode === 'read'));
    }
    for (const { key } of arms) for (const wanted of all) this.#captures.expect(key, wanted);
  }
}

const wantedSite = ({ value, axis }: Site, onlyRead: boolean): Wanted => ({ value, axis, part: onlyRead ? 'at' : 'whole' });
