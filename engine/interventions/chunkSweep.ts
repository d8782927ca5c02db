/** Runs the planned interventions of one request chunk by chunk: the unchanged values, then branches of everything that can matter. */
import type { Executor } from '../execute/executor.ts';
import { shapeKey, type BranchShape, type Observed } from './branchProgram.ts';
import { BranchPrograms } from './branchPrograms.ts';
import { branchCount, branchFeeds, BranchResults } from './branchRun.ts';
import { Captures, type Wanted } from './captures.ts';
import { distances, evaluate, type Change, type Evaluated } from './changes.ts';
import { armSource, Means, type Capture, type Source } from './donors.ts';
import type { EffectsStore } from './effectsStore.ts';
import { Groups, type Group } from './groups.ts';
import { Parts, promptFeeds, type ModelGraph, type Site } from './modelGraph.ts';
import type { Chunk, Places } from './places.ts';
import { expectedShape, observedOf, Ways } from './planner.ts';
import type { Resolved } from './resolve.ts';
import { Tokens } from './tokens.ts';

/** What is kept from one request to the next. */
export interface SweepTools {
  readonly model: ModelGraph;
  readonly captures: Captures;
  readonly programs: BranchPrograms;
  readonly ways: Ways;
}

/** @param cacheBytes of unchanged values of all chunks together */
export const sweepTools = (executor: Executor, model: ModelGraph, cacheBytes: number): SweepTools => ({
  model,
  captures: new Captures(executor, model, cacheBytes),
  programs: new BranchPrograms(executor, model),
  ways: new Ways(model),
});

/** An intervention that changes something in a chunk. */
interface Member {
  readonly intervention: number;
  readonly change: Change;
  readonly evaluated: Evaluated;
}

/** The planned interventions of one request. */
export class ChunkSweep {
  readonly #model: ModelGraph;
  readonly #captures: Captures;
  readonly #programs: BranchPrograms;
  readonly #ways: Ways;
  readonly #resolved: Resolved;
  readonly #planned: readonly number[];
  readonly #base: Source;
  readonly #observed: readonly Observed[];
  readonly #means: Means;
  readonly #tokens: Tokens;
  readonly #common;

  /** @param planned numbers of the interventions that need not be run whole @param chunks all of these pairs, also those that other threads measure */
  constructor(
    { model, captures, programs, ways }: SweepTools,
    resolved: Resolved,
    planned: readonly number[],
    chunks: readonly Chunk[],
    means = new Means(),
  ) {
    this.#means = means;
    this.#model = model;
    this.#captures = captures;
    this.#programs = programs;
    this.#ways = ways;
    this.#resolved = resolved;
    this.#planned = planned;
    this.#base = armSource(resolved.pairs, resolved.base);
    this.#tokens = new Tokens(resolved.pairs, resolved.base);
    this.#observed = observedOf(resolved);
    this.#common = { ...model.weights, ...promptFeeds(model, resolved.pairs) };
    captures.begin(resolved.pairs, chunks.length);
    this.#expect(chunks);
  }

  /** Finds the means over all pairs that are written. @param owned whether this thread measures a chunk, so that it is worth keeping what it gave */
  findMeans(chunks: readonly Chunk[], owned: (number: number) => boolean): Means {
    const writes = this.#planned.flatMap((i) => this.#resolved.interventions[i].sites.flatMap((own) => own.writes));
    const captures = this.#captures;
    function* left(): Generator<Chunk, void, void> {
      for (const [number, chunk] of chunks.entries()) {
        yield chunk;
        if (owned(number)) captures.leave(chunk);
        else captures.forget(chunk);
      }
    }
    this.#means.find(writes, left(), this.#capture);
    return this.#means;
  }

  /** Measures a chunk. Yields after every run: how many of the interventions are done. */
  *run(chunk: Chunk, store: EffectsStore): Generator<number, void, void> {
    this.#unchanged(chunk, store);
    yield* this.#changed(chunk, store);
    store.settle();
    this.#captures.leave(chunk);
  }

  /** Metrics and observations of the unchanged run. */
  #unchanged(chunk: Chunk, store: EffectsStore): void {
    const { vocabulary } = this.#model.config;
    const { data } = this.#captures.get(this.#base, chunk, this.#logits);
    chunk.forEach((pair, row) => store.measure(undefined, pair, data as Float32Array, row * vocabulary));
    this.#resolved.observations.forEach(({ site, index, places }, i) => {
      const values = this.#capture(this.#base, chunk, site, places);
      const parts = new Parts(site, values.tensor, index);
      store.observe(undefined, i, chunk, (row, position, into, at) => parts.read(row, values.onlyRead ? 0 : position, into, at));
    });
  }

  *#changed(chunk: Chunk, store: EffectsStore): Generator<number, void, void> {
    const read = this.#resolved.pairs.read[chunk[0]];
    const { groups } = this.#groups(chunk);
    let done = 0;
    for (const intervention of this.#planned) {
      const resolved = this.#resolved.interventions[intervention];
      if (this.#tokens.changeNothing(resolved, chunk)) {
        for (const pair of chunk) {
          store.unchanged(intervention, pair);
          for (const { places } of resolved.sites.flatMap(({ writes }) => writes)) store.moved(intervention, places[pair].length, 0);
        }
        done++;
        continue;
      }
      const evaluated = evaluate(resolved, {
        chunk,
        read,
        base: this.#base,
        means: this.#means,
        capture: this.#capture,
        earlierMatters: this.#earlierMatters,
        below: (site, other) => this.#ways.below(site, other),
      });
      const { change } = evaluated;
      if (!change) {
        chunk.forEach((pair) => store.unchanged(intervention, pair));
        this.#moved(store, intervention, evaluated, chunk, read);
        done++;
        continue;
      }
      const mode = change.from === read ? 'read' : change.single ? 'single' : 'spread';
      const [first, later] = [change.first, change.later].map((sites) => sites.map(({ site }) => site));
      const full = groups.add({ mode, entries: [{ first, later }], observed: this.#observed }, change.from, {
        intervention,
        change,
        evaluated,
      });
      if (full) yield (done += this.#branches(chunk, read, full, store));
    }
    for (const group of groups.rest()) yield (done += this.#branches(chunk, read, group, store));
  }

  readonly #earlierMatters = (site: Site): boolean => this.#ways.earlierMatters(site, this.#observed);

  #groups(chunk: Chunk): { groups: Groups<Member>; expected: (BranchShape | undefined)[] } {
    const { interventions, pairs } = this.#resolved;
    const expected = this.#planned.map((i) => expectedShape(interventions[i], this.#resolved, this.#observed, this.#ways, chunk));
    return { groups: new Groups(this.#model, pairs, chunk, pairs.read[chunk[0]], expected, this.#ways), expected };
  }

  /** @returns how many interventions were run */
  #branches(chunk: Chunk, read: number, { shape, from, entries }: Group<Member>, store: EffectsStore): number {
    const program = this.#programs.program(shape);
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
    const changes = entries.map((members) => members.map(({ change }) => change));
    const feeds = branchFeeds(program, changes, from, { rows: chunk.length, read, length: this.#resolved.pairs.length, clean });
    const results = new BranchResults(this.#programs.run(shape, { ...this.#common, ...caches, ...feeds }), 1 + read - from);
    let begun = 0;
    const placed = entries.flatMap((members) => {
      const begin = begun;
      begun += branchCount(members);
      return members.map((member, i) => ({ ...member, branch: begin + i }));
    });
    for (const { intervention, change, evaluated, branch } of placed) {
      chunk.forEach((pair, row) => {
        const { data, at } = results.logits(row, branch);
        store.measure(intervention, pair, data, at);
      });
      this.#moved(store, intervention, evaluated, chunk, read, (site, row) =>
        change.later.some((own) => own.site === site) ? results.moved(site, row, branch) : undefined,
      );
      this.#observe(store, intervention, chunk, results, branch, from);
    }
    return placed.length;
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
  #expect(chunks: readonly Chunk[]): void {
    const { interventions, observations, pairs } = this.#resolved;
    const onlyRead = (places: Places) => places.every((own, pair) => own.every((position) => position === pairs.read[pair]));
    const arms = new Set<Source>([this.#base]);
    const all: Wanted[] = [this.#logits, ...observations.map(({ site, places }) => wantedSite(site, onlyRead(places)))];
    for (const i of this.#planned) {
      for (const { site, writes } of interventions[i].sites)
        for (const { donor, places } of writes) {
          all.push(wantedSite(site, onlyRead(places)));
          if (!donor?.source) continue;
          if (donor.source.key in pairs.arms) arms.add(donor.source);
          else this.#captures.expect(donor.source.key, wantedSite(site, onlyRead(places)));
        }
    }
    const shapes = new Map<string, BranchShape>();
    for (const chunk of chunks) {
      const { groups, expected } = this.#groups(chunk);
      for (const own of new Set(expected)) {
        if (!own) continue;
        const shape = groups.shapeOf(own);
        shapes.set(shapeKey(shape), shape);
      }
    }
    for (const shape of shapes.values()) {
      for (const { value, axis, part } of this.#programs.program(shape).caches) all.push({ value, axis, part });
      for (const site of shape.entries.flatMap(({ first }) => first)) all.push(wantedSite(site, shape.mode === 'read'));
    }
    for (const { key } of arms) for (const wanted of all) this.#captures.expect(key, wanted);
  }
}

const wantedSite = ({ value, axis }: Site, onlyRead: boolean): Wanted => ({ value, axis, part: onlyRead ? 'at' : 'whole' });
