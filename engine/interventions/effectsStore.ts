/** Effects while they come in, pair by pair; what is there can be stored and taken up again. */
import { UserError } from '../base/errors.ts';
import type { Effects } from './effects.ts';
import { measure, metricName } from './measure.ts';
import type { Chunk } from './places.ts';
import type { Resolved } from './resolve.ts';
import type { CellState } from './sweep.ts';

/** A part of the work that was done, as plain data. */
export interface StoredEffects {
  /** Steps done, in the order of the runner that did them. */
  readonly done: number;
  readonly metrics: Float32Array;
  readonly base: Float32Array;
  readonly fired: Int32Array;
  readonly moved: Float64Array;
  readonly ran: Uint8Array;
  readonly observed: readonly (readonly Float32Array[])[];
  readonly baseObserved: readonly Float32Array[];
}

/** What there is of one chunk, as plain data: metrics [.., chunk], observations [chunk, ..], and counts of the chunk alone. */
export type EffectsPiece = Omit<StoredEffects, 'done'>;

export class EffectsStore {
  readonly #resolved: Resolved;
  readonly #vocabulary: number;
  readonly #metrics: Float32Array;
  readonly #base: Float32Array;
  readonly #fired: Int32Array;
  readonly #moved: Float64Array;
  /** Of the chunk at hand: sums are made chunk by chunk, so that they do not depend on who made them. */
  readonly #pending: Float64Array;
  /** Whether any pair of an intervention was run. */
  readonly #ran: Uint8Array;
  readonly #observed: readonly (readonly Float32Array[])[];
  readonly #baseObserved: readonly Float32Array[];

  constructor(resolved: Resolved, vocabulary: number) {
    const { pairs, interventions, metrics, observations } = resolved;
    this.#resolved = resolved;
    this.#vocabulary = vocabulary;
    this.#metrics = new Float32Array(interventions.length * metrics.length * pairs.pairs).fill(NaN);
    this.#base = new Float32Array(metrics.length * pairs.pairs).fill(NaN);
    this.#fired = new Int32Array(interventions.length);
    this.#moved = new Float64Array(interventions.length);
    this.#pending = new Float64Array(interventions.length);
    this.#ran = new Uint8Array(interventions.length);
    const room = () => observations.map(({ size }) => new Float32Array(size * pairs.pairs));
    this.#observed = interventions.map(room);
    this.#baseObserved = room();
  }

  /** Metrics of a pair from the logits that begin at `at`. @param intervention its number; undefined for the base run */
  measure(intervention: number | undefined, pair: number, logits: Float32Array, at: number): void {
    const { pairs, metrics } = this.#resolved;
    const [data, first] = intervention === undefined ? [this.#base, 0] : [this.#metrics, intervention * metrics.length];
    metrics.forEach((metric, i) => {
      data[(first + i) * pairs.pairs + pair] = measure(metric, pairs, pair, logits, at, this.#vocabulary);
    });
    if (intervention !== undefined) this.#ran[intervention] = 1;
  }

  /** The values of an observation in a chunk. @param read copies the observed part of a row and position into an array at an offset */
  observe(
    intervention: number | undefined,
    observation: number,
    chunk: Chunk,
    read: (row: number, position: number, into: Float32Array, at: number) => void,
  ): void {
    const { places, part, size } = this.#resolved.observations[observation];
    const into = intervention === undefined ? this.#baseObserved[observation] : this.#observed[intervention][observation];
    chunk.forEach((pair, row) => places[pair].forEach((position, k) => read(row, position, into, pair * size + k * part)));
  }

  /** A pair that an intervention provably leaves as it was: base metrics and observations, which must be there. */
  unchanged(intervention: number, pair: number): void {
    const { pairs, metrics, observations } = this.#resolved;
    metrics.forEach((_metric, i) => {
      this.#metrics[(intervention * metrics.length + i) * pairs.pairs + pair] = this.#base[i * pairs.pairs + pair];
    });
    observations.forEach(({ size }, i) =>
      this.#observed[intervention][i].set(this.#baseObserved[i].subarray(pair * size, (pair + 1) * size), pair * size),
    );
  }

  /** Notes that a write of an intervention was made at so many positions of a pair. @param squared how far it moved them, as a sum of squares */
  moved(intervention: number, fired: number, squared: number): void {
    this.#fired[intervention] += fired;
    this.#pending[intervention] += Math.sqrt(squared);
  }

  /** A chunk is done. */
  settle(): void {
    this.#pending.forEach((sum, i) => (this.#moved[i] += sum));
    this.#pending.fill(0);
  }

  /** Gives away what there is of a chunk that is the only one here, and begins anew. */
  take(chunk: Chunk): EffectsPiece {
    const piece = {
      metrics: this.#columns(this.#metrics, chunk),
      base: this.#columns(this.#base, chunk),
      fired: this.#fired.slice(),
      moved: this.#moved.slice(),
      ran: this.#ran.slice(),
      observed: this.#observed.map((each) => each.map((data) => this.#rows(data, chunk))),
      baseObserved: this.#baseObserved.map((data) => this.#rows(data, chunk)),
    };
    for (const counted of [this.#fired, this.#moved, this.#ran]) counted.fill(0);
    return piece;
  }

  /** Puts in what another store gave away of a chunk. */
  put(chunk: Chunk, piece: EffectsPiece): void {
    const { pairs } = this.#resolved.pairs;
    const columns = (from: Float32Array, into: Float32Array) =>
      from.forEach((number, i) => (into[Math.floor(i / chunk.length) * pairs + chunk[i % chunk.length]] = number));
    const rows = (from: Float32Array, into: Float32Array) => {
      const size = into.length / pairs;
      chunk.forEach((pair, row) => into.set(from.subarray(row * size, (row + 1) * size), pair * size));
    };
    columns(piece.metrics, this.#metrics);
    columns(piece.base, this.#base);
    piece.fired.forEach((count, i) => (this.#fired[i] += count));
    piece.moved.forEach((sum, i) => (this.#moved[i] += sum));
    piece.ran.forEach((ran, i) => (this.#ran[i] |= ran));
    piece.observed.forEach((each, i) => each.forEach((data, j) => rows(data, this.#observed[i][j])));
    piece.baseObserved.forEach((data, j) => rows(data, this.#baseObserved[j]));
  }

  /** Of [.., pairs], those of a chunk. */
  #columns(data: Float32Array, chunk: Chunk): Float32Array {
    const { pairs } = this.#resolved.pairs;
    return Float32Array.from(
      { length: (data.length / pairs) * chunk.length },
      (_entry, i) => data[Math.floor(i / chunk.length) * pairs + chunk[i % chunk.length]],
    );
  }

  /** Of [pairs, ..], those of a chunk. */
  #rows(data: Float32Array, chunk: Chunk): Float32Array {
    const size = data.length / this.#resolved.pairs.pairs;
    const part = new Float32Array(size * chunk.length);
    chunk.forEach((pair, row) => part.set(data.subarray(pair * size, (pair + 1) * size), row * size));
    return part;
  }

  /** Takes over an intervention from effects of another runner on the same pairs. @param row its number there */
  takeOver(intervention: number, effects: Effects, row: number): void {
    const each = effects.names.length * effects.pairs;
    this.#metrics.set(effects.metrics.subarray(row * each, (row + 1) * each), intervention * each);
    this.#fired[intervention] = effects.fired[row];
    this.#moved[intervention] = effects.moved[row] * effects.pairs;
    this.#ran[intervention] = 1;
    effects.observed[row].forEach((data, i) => this.#observed[intervention][i].set(data));
  }

  effects(wholes: Effects['wholes']): Effects {
    const { interventions, metrics, pairs } = this.#resolved;
    const each = metrics.length * pairs.pairs;
    const state = interventions.map((_intervention, i): CellState => {
      if (!this.#metrics.subarray(i * each, (i + 1) * each).every(Number.isFinite)) return 'failed';
      return this.#ran[i] ? 'measured' : 'proved-zero';
    });
    return {
      interventions: interventions.map(({ id }) => id),
      names: metrics.map(metricName),
      pairs: pairs.pairs,
      metrics: this.#metrics,
      base: this.#base,
      state,
      fired: this.#fired,
      moved: Float32Array.from(this.#moved, (sum, i) => (sum + this.#pending[i]) / pairs.pairs),
      observed: this.#observed,
      baseObserved: this.#baseObserved,
      wholes,
    };
  }

  /** A copy of what is there. */
  stored(done: number): StoredEffects {
    return {
      done,
      metrics: this.#metrics.slice(),
      base: this.#base.slice(),
      fired: this.#fired.slice(),
      moved: this.#moved.map((sum, i) => sum + this.#pending[i]),
      ran: this.#ran.slice(),
      observed: this.#observed.map((each) => each.map((data) => data.slice())),
      baseObserved: this.#baseObserved.map((data) => data.slice()),
    };
  }

  /** Takes up what an earlier attempt at the same run had stored. @returns the steps it had done */
  restore(stored: StoredEffects): number {
    const copy = (name: string, from: ArrayLike<number>, to: { length: number; set(from: ArrayLike<number>): void }) => {
      if (from.length !== to.length)
        throw new UserError(`resume: ${name}`, `must hold ${to.length} numbers, as this run does`, from.length);
      to.set(from);
    };
    copy('metrics', stored.metrics, this.#metrics);
    copy('base', stored.base, this.#base);
    copy('fired', stored.fired, this.#fired);
    copy('moved', stored.moved, this.#moved);
    copy('ran', stored.ran, this.#ran);
    stored.observed.forEach((each, i) => each.forEach((data, j) => copy('observed', data, this.#observed[i][j])));
    stored.baseObserved.forEach((data, j) => copy('observed', data, this.#baseObserved[j]));
    return stored.done;
  }
}
