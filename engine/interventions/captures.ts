/**
 * Values of unchanged runs, each found once: what branches start from, what donors give, what is looked at. They are kept between runs on the same
 * pairs, up to a number of bytes, so that a second screen of the same prompts runs no whole forward.
 */
import type { Executable, Executor, Feeds } from '../execute/executor.ts';
import { program, type TensorData } from '../graph/program.ts';
import type { Value } from '../graph/value.ts';
import { gather } from '../ops/index.ts';
import type { PairSet } from '../tasks/pairs.ts';
import type { Source } from './donors.ts';
import { promptFeeds, type ModelGraph } from './modelGraph.ts';
import { narrow } from './narrow.ts';
import type { Chunk } from './places.ts';
import { CutRefusal } from './restrict.ts';
import { inputNamed } from './sweep.ts';

/** A value of a run, at all positions or at the one that is read. */
export interface Wanted {
  readonly value: Value;
  readonly axis: number;
  readonly part: 'whole' | 'at';
}

const keyOf = ({ value, part }: Wanted): string => `${part} ${value.id}`;
const bytesOf = ({ data }: TensorData): number => data.byteLength;

interface Entry {
  readonly values: Map<string, TensorData>;
  bytes: number;
}

export class Captures {
  readonly #executor: Executor;
  readonly #model: ModelGraph;
  readonly #ceiling: number;
  readonly #programs = new Map<string, { readonly run: Executable; readonly names: ReadonlyMap<string, string> }>();
  /** By source and chunk, least recently used first. */
  readonly #entries = new Map<string, Entry>();
  readonly #expected = new Map<string, Map<string, Wanted>>();
  #pairs: PairSet | undefined;
  #prompt: Feeds = {};
  #bytes = 0;
  #forwards = 0;

  /** @param ceiling bytes kept between runs; those of the chunk at hand are always kept */
  constructor(executor: Executor, model: ModelGraph, ceiling: number) {
    this.#executor = executor;
    this.#model = model;
    this.#ceiling = ceiling;
  }

  /** Whole forwards of chunks so far. */
  get forwards(): number {
    return this.#forwards;
  }

  /** Bytes that are kept. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Forgets what was found on other pairs, and what was expected before. */
  begin(pairs: PairSet): void {
    this.#expected.clear();
    if (this.#pairs === pairs) return;
    this.#entries.clear();
    this.#bytes = 0;
    this.#prompt = promptFeeds(this.#model, pairs);
    this.#pairs = pairs;
  }

  /** Says that a value will be asked for: what is expected of a prompt is found in one forward. */
  expect(source: string, wanted: Wanted): void {
    const all = this.#expected.get(source) ?? new Map<string, Wanted>();
    this.#expected.set(source, all.set(keyOf(wanted), wanted));
  }

  expected(source: string): readonly Wanted[] {
    return [...(this.#expected.get(source)?.values() ?? [])];
  }

  /** The value on the prompts of a chunk: [rows, positions, …], or with one position. */
  get(source: Source, chunk: Chunk, wanted: Wanted): TensorData {
    const name = `${source.key}|${chunk[0]}|${chunk.length}`;
    const entry = this.#entries.get(name) ?? { values: new Map<string, TensorData>(), bytes: 0 };
    this.#entries.delete(name);
    this.#entries.set(name, entry);
    const key = keyOf(wanted);
    if (!entry.values.has(key)) {
      const all = new Map([...(this.#expected.get(source.key) ?? []), [key, wanted]]);
      const missing = [...all].filter(([other]) => !entry.values.has(other)).map(([, own]) => own);
      for (const [own, tensor] of this.#run(source, chunk, missing)) {
        entry.values.set(own, tensor);
        entry.bytes += bytesOf(tensor);
        this.#bytes += bytesOf(tensor);
      }
      this.#evict(chunk);
    }
    return entry.values.get(key)!;
  }

  dispose(): void {
    for (const { run } of this.#programs.values()) run.dispose();
    this.#programs.clear();
    this.#entries.clear();
  }

  #run(source: Source, chunk: Chunk, wanted: readonly Wanted[]): Map<string, TensorData> {
    const { length, read } = this.#pairs!;
    const { run, names } = this.#program(wanted);
    const tokens = new Int32Array(chunk.length * length);
    chunk.forEach((pair, row) => tokens.set(source.tokens(pair), row * length));
    const results = run.run({
      ...this.#model.weights,
      ...this.#prompt,
      tokens: { data: tokens, shape: [chunk.length, length] },
      read: { data: Int32Array.of(read[chunk[0]]), shape: [1] },
    });
    this.#forwards++;
    return new Map([...names].map(([key, name]) => [key, results[name]]));
  }

  #program(wanted: readonly Wanted[]) {
    const sorted = [...wanted].sort((a, b) => a.value.id - b.value.id || a.part.localeCompare(b.part));
    const key = sorted.map(keyOf).join();
    let found = this.#programs.get(key);
    if (!found) {
      const read = inputNamed(this.#model.graph, 'read', [1], 'int32');
      const single = sorted.filter(({ part }) => part === 'at');
      const wholes = sorted.filter(({ part }) => part === 'whole');
      const narrowed = narrowedOr(single, wholes, read);
      const names = new Map<string, string>();
      const outputs: Record<string, Value> = {};
      [...single.map((own, i) => [own, narrowed[i]] as const), ...wholes.map((own) => [own, own.value] as const)].forEach(
        ([own, value], i) => {
          names.set(keyOf(own), `captured ${i}`);
          outputs[`captured ${i}`] = value;
        },
      );
      found = { run: this.#executor.compile(program(outputs)), names };
      this.#programs.set(key, found);
    }
    return found;
  }

  #evict(chunk: Chunk): void {
    const current = `|${chunk[0]}|${chunk.length}`;
    for (const [name, { bytes }] of this.#entries) {
      if (this.#bytes <= this.#ceiling) return;
      if (name.endsWith(current)) continue;
      this.#entries.delete(name);
      this.#bytes -= bytes;
    }
  }
}

/** Values at the position that is read, computed nowhere else where the model allows it. */
function narrowedOr(single: readonly Wanted[], wholes: readonly Wanted[], read: Value): Value[] {
  try {
    return narrow(
      single,
      wholes.map(({ value }) => value),
      read,
    );
  } catch (error) {
    if (!(error instanceof CutRefusal)) throw error;
    return single.map(({ value, axis }) => gather(value, read, axis));
  }
}
