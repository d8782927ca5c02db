/**
 * Interventions by whole forwards: the model is run from its tokens, stopped at each site that is written to, and the numbers there are changed in
 * plain sight. Nothing is skipped or reused but programs and donors, so this is what the planned way (plannedRunner.ts) is judged by, and what it
 * falls back to where it cannot be exact. Works with any executor.
 */
import type { Executable, Executor, Feeds } from '../execute/executor.ts';
import { program, type TensorData } from '../graph/program.ts';
import { throwIfCancelled } from '../base/errors.ts';
import type { PairSet } from '../tasks/pairs.ts';
import { armSource, donorValue, Means, type Capture, type Source } from './donors.ts';
import type { Effects, Runner, RunOptions } from './effects.ts';
import { EffectsStore, type StoredEffects } from './effectsStore.ts';
import type { Arm, Intervention } from './intervention.ts';
import { modelGraph, Parts, promptFeeds, siteNamed, type ModelGraph, type TransformerModel } from './modelGraph.ts';
import { withPaths } from './pathPatching.ts';
import { chunkRows, chunksOf, type Chunk } from './places.ts';
import { resolve, type Resolved, type ResolvedIntervention, type SiteWrites } from './resolve.ts';
import { applyWrite } from './write.ts';

/** Programs kept; each holds some megabytes. */
const PROGRAMS = 64;

export class WholeRunner implements Runner {
  readonly #executor: Executor;
  readonly #model: ModelGraph;
  /** By what they give and what is given to them, least recently used first. */
  readonly #programs = new Map<string, Executable>();

  /** @throws UserError for parameters that do not fit the model or are not finite */
  constructor(executor: Executor, model: TransformerModel | ModelGraph) {
    this.#executor = executor;
    this.#model = 'graph' in model ? model : modelGraph(model);
  }

  async run(pairs: PairSet, base: Arm, interventions: readonly Intervention[], options: RunOptions = {}): Promise<Effects> {
    return withPaths(this.#model, pairs, base, interventions, options, (plain, own) => this.#run(pairs, base, plain, own));
  }

  dispose(): void {
    for (const executable of this.#programs.values()) executable.dispose();
    this.#programs.clear();
  }

  async #run(pairs: PairSet, base: Arm, interventions: readonly Intervention[], options: RunOptions): Promise<Effects> {
    const resolved = resolve(this.#model, pairs, base, interventions, options);
    const { context = {} } = options;
    const store = new EffectsStore(resolved, this.#model.config.vocabulary);
    const chunks = chunksOf(pairs, chunkRows(this.#model.config.width, pairs.length));
    const done = context.resume === undefined ? 0 : store.restore(context.resume as StoredEffects);
    const forwards = new Forwards(resolved, this.#model, (outputs, cuts) => this.#program(outputs, cuts));
    const means = new Means();
    const breathe = async (at: number) => {
      throwIfCancelled(context.signal);
      context.progress?.({ stage: 'interventions, whole forwards', done: at, total: chunks.length * interventions.length });
      await context.breathe?.();
    };
    await breathe(done * interventions.length);
    means.find(
      resolved.interventions.flatMap(({ sites }) => sites.flatMap(({ writes }) => writes)),
      chunks,
      forwards.capture,
    );
    for (let number = done; number < chunks.length; number++) {
      const chunk = chunks[number];
      const clean = forwards.clean(chunk);
      record(store, resolved, undefined, chunk, clean);
      for (let i = 0; i < resolved.interventions.length; i++) {
        const results = forwards.changed(chunk, resolved.interventions[i], means, (fired, squared) => store.moved(i, fired, squared));
        record(store, resolved, i, chunk, results);
        await breathe(number * interventions.length + i + 1);
      }
      store.settle();
      if (number + 1 < chunks.length) await context.checkpoint?.(store.stored(number + 1));
    }
    return store.effects([]);
  }

  /** @param outputs names of sites, `logits` for the logits @param cuts names of sites that are given */
  #program(outputs: readonly string[], cuts: readonly string[]): Executable {
    const key = `${outputs.join()}|${cuts.join()}`;
    let found = this.#programs.get(key);
    if (!found) {
      const value = (name: string) => (name === LOGITS ? this.#model.logits : siteNamed(this.#model, name)!.value);
      found = this.#executor.compile(
        program(
          Object.fromEntries(outputs.map((name) => [`value ${name}`, value(name)])),
          Object.fromEntries(cuts.map((name) => [name, value(name)])),
        ),
      );
    }
    this.#programs.delete(key);
    this.#programs.set(key, found);
    for (const [old, executable] of this.#programs) {
      if (this.#programs.size <= PROGRAMS) break;
      executable.dispose();
      this.#programs.delete(old);
    }
    return found;
  }
}

const LOGITS = 'logits';
type Values = ReadonlyMap<string, TensorData>;

/** Metrics and observations of a chunk. */
function record(
  store: EffectsStore,
  { pairs, observations }: Resolved,
  intervention: number | undefined,
  chunk: Chunk,
  values: Values,
): void {
  const { data, shape } = values.get(LOGITS)!;
  const [, positions, vocabulary] = shape;
  chunk.forEach((pair, row) => store.measure(intervention, pair, data as Float32Array, (row * positions + pairs.read[pair]) * vocabulary));
  observations.forEach(({ site, index }, i) => {
    const parts = new Parts(site, values.get(site.name)!, index);
    store.observe(intervention, i, chunk, (row, position, into, at) => parts.read(row, position, into, at));
  });
}

/** Forwards of one run: what is asked for of every prompt is found at once and kept while its chunk is worked on. */
class Forwards {
  readonly #resolved: Resolved;
  readonly #program: (outputs: readonly string[], cuts: readonly string[]) => Executable;
  readonly #common: Feeds;
  readonly #base: Source;
  readonly #observed: readonly string[];
  /** Sites that are read on the prompts of a source, by its key. */
  readonly #wanted = new Map<string, Set<string>>();
  #chunk: Chunk | undefined;
  readonly #known = new Map<string, Values>();

  constructor(resolved: Resolved, model: ModelGraph, compiled: (outputs: readonly string[], cuts: readonly string[]) => Executable) {
    this.#resolved = resolved;
    this.#program = compiled;
    this.#common = { ...model.weights, ...promptFeeds(model, resolved.pairs) };
    this.#base = armSource(resolved.pairs, resolved.base);
    this.#observed = [...new Set(resolved.observations.map(({ site }) => site.name))];
    this.#want(this.#base.key, [LOGITS, ...this.#observed]);
    for (const { sites } of resolved.interventions) {
      if (sites.length > 0) this.#want(this.#base.key, [sites[0].site.name]);
      for (const { site, writes } of sites) for (const { donor } of writes) if (donor?.source) this.#want(donor.source.key, [site.name]);
    }
  }

  /** Values on the prompts of a source, unchanged. */
  readonly capture: Capture = (source, chunk, site) => ({ tensor: this.#values(source, chunk).get(site.name)!, onlyRead: false });

  clean(chunk: Chunk): Values {
    return this.#values(this.#base, chunk);
  }

  /** Runs from the tokens with the writes of an intervention. @param moved told of every pair: positions written, sum of squared changes */
  changed(chunk: Chunk, { sites }: ResolvedIntervention, means: Means, moved: (fired: number, squared: number) => void): Values {
    const cuts: Record<string, TensorData> = {};
    const [fired, squared] = [new Int32Array(chunk.length), new Float64Array(chunk.length)];
    for (const own of sites) {
      const { name } = own.site;
      // Nothing is written before the first site: what stands there is what the clean run has.
      const before = Object.keys(cuts).length === 0 ? this.clean(chunk) : this.#run(this.#base, chunk, [name], cuts);
      cuts[name] = this.#written(own, chunk, before.get(name)!, means, fired, squared);
    }
    chunk.forEach((_pair, row) => moved(fired[row], squared[row]));
    return this.#run(this.#base, chunk, [LOGITS, ...this.#observed], cuts);
  }

  #written(
    { site, writes }: SiteWrites,
    chunk: Chunk,
    before: TensorData,
    means: Means,
    fired: Int32Array,
    squared: Float64Array,
  ): TensorData {
    const after: TensorData = { data: Float32Array.from(before.data), shape: before.shape };
    const touched = chunk.map(() => new Set<number>());
    for (const own of writes) {
      const { write, places, part } = own;
      const parts = new Parts(site, after, write.index);
      const donor = donorValue(own, chunk, means, this.capture);
      const [value, given] = [new Float32Array(part), new Float32Array(part)];
      chunk.forEach((pair, row) => {
        const noise = own.noise?.(pair);
        places[pair].forEach((position, k) => {
          parts.read(row, position, value);
          if (noise) given.set(noise.subarray(k * part, (k + 1) * part));
          else donor?.(row, k, given);
          applyWrite(write, value, given);
          parts.write(row, position, value);
          touched[row].add(position);
          fired[row]++;
        });
      });
    }
    const [then, now] = [new Parts(site, before), new Parts(site, after)];
    const [was, is] = [new Float32Array(then.size), new Float32Array(then.size)];
    chunk.forEach((pair, row) => {
      for (const position of touched[row]) {
        // What comes after the position that is read is no part of the answer.
        if (position > this.#resolved.pairs.read[pair]) continue;
        then.read(row, position, was);
        now.read(row, position, is);
        is.forEach((number, i) => (squared[row] += (number - was[i]) ** 2));
      }
    });
    return after;
  }

  #want(source: string, sites: readonly string[]): void {
    const all = this.#wanted.get(source) ?? new Set<string>();
    sites.forEach((site) => all.add(site));
    this.#wanted.set(source, all);
  }

  #values(source: Source, chunk: Chunk): Values {
    if (this.#chunk !== chunk) this.#known.clear();
    this.#chunk = chunk;
    let found = this.#known.get(source.key);
    if (!found) this.#known.set(source.key, (found = this.#run(source, chunk, [...this.#wanted.get(source.key)!], {})));
    return found;
  }

  #run(source: Source, chunk: Chunk, outputs: readonly string[], cuts: Readonly<Record<string, TensorData>>): Values {
    const { length } = this.#resolved.pairs;
    const tokens = new Int32Array(chunk.length * length);
    chunk.forEach((pair, row) => tokens.set(source.tokens(pair), row * length));
    // What is given need not be computed, and is as it was given.
    const computed = outputs.filter((name) => !(name in cuts));
    const results = this.#program(computed, Object.keys(cuts)).run({
      ...this.#common,
      ...cuts,
      tokens: { data: tokens, shape: [chunk.length, length] },
    });
    return new Map(outputs.map((name) => [name, cuts[name] ?? results[`value ${name}`]]));
  }
}
