/**
 * Values of unchanged runs, each found once: what branches start from, what donors give, what is looked at. They are kept between runs on the same
 * pairs, up to a number of bytes, so that a second screen of the same prompts runs no whole forward. What is kept of a chunk depends on what was
 * asked of that chunk and on nothing else: values found together with others may differ in their last bits, so it decides about those.
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
const nameOf = (chunk: Chunk): string => `${chunk[0]}|${chunk.length}`;
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
  /** By chunk, and then by source, least recently used first. */
  readonly #chunks = new Map<string, Map<string, Entry>>();
  readonly #expected = new Map<string, Map<string, Wanted>>();
  #pairs: PairSet | undefined;
  #prompt: Feeds = {};
  /** Bytes kept of each chunk when it is left. */
  #each = 0;
  #forwards = 0;

  /** @param ceiling bytes kept of all chunks together, wherever they are kept; those of the chunk at hand besides */
  constructor(executor: Executor, model: ModelGraph, ceiling: number) {
    this.#executor = executor;
    this.#model = model;
    this.#ceiling = ceiling;
  }

  /** Whole forwards of chunks so far. */
  get forwards(): number {
    return this.#forwards;
  }

  /** Forgets what was found on other pairs, and what was expected before. @param chunks of these pairs */
  begin(pairs: PairSet, chunks: number): void {
    this.#expected.clear();
    if (this.#pairs === pairs) return;
    this.#chunks.clear();
    this.#each = this.#ceiling / chunks;
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
    const ofChunk = this.#chunks.get(nameOf(chunk)) ?? new Map<string, Entry>();
    this.#chunks.set(nameOf(chunk), ofChunk);
    const entry = ofChunk.get(source.key) ?? { values: new Map<string, TensorData>(), bytes: 0 };
    ofChunk.delete(source.key);
    ofChunk.set(source.key, entry);
    const key = keyOf(wanted);
    if (!entry.values.has(key)) {
      const all = new Map([...(this.#expected.get(source.key) ?? []), [key, wanted]]);
      const missing = [...all].filter(([other]) => !entry.values.has(other)).map(([, own]) => own);
      for (const [own, tensor] of this.#run(source, chunk, missing)) {
        entry.values.set(own, tensor);
        entry.bytes += bytesOf(tensor);
      }
    }
    return entry.values.get(key)!;
  }

  /** Says that a chunk is done with for now: of what was found on it, as much is kept as it may take. */
  leave(chunk: Chunk): void {
    const ofChunk = this.#chunks.get(nameOf(chunk));
    if (!ofChunk) return;
    let bytes = [...ofChunk.values()].reduce((sum, entry) => sum + entry.bytes, 0);
    for (const [key, entry] of ofChunk) {
      if (bytes <= this.#each) return;
      ofChunk.delete(key);
      bytes -= entry.bytes;
    }
  }

  /** Says that a chunk is somebody else's from now on. */
  forget(chunk: Chunk): void {
    this.#chunks.delete(nameOf(chunk));
  }

  dispose(): void {
    for (const { run } of this.#programs.values()) run.dispose();
    this.#programs.clear();
    this.#chunks.clear();
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
