/**
 * The first executor: ONNX Runtime runs a whole program in one native call.
 *
 * Runs are synchronous and cannot be interrupted, so this is loaded only in engine processes, whose planned runs are
 * short. The synchronous binding is used directly: the package's own wrapper defers every run by a turn of the event loop.
 */
import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import { setFlagsFromString } from 'node:v8';
import { Tensor, type InferenceSession } from 'onnxruntime-common';
import { UserError } from '../base/errors.ts';
import { evaluateShape } from '../graph/dimension.ts';
import { writeOnnx } from '../graph/onnx.ts';
import { bindSymbols, type Program, type TensorData } from '../graph/program.ts';
import type { Data, DType } from '../graph/value.ts';
import { ExecutionError, requireFits, type Executable, type Executor, type Feeds, type Results } from './executor.ts';

type Binding = typeof import('onnxruntime-node/dist/binding.js');
export type NativeSession = InstanceType<Binding['binding']['InferenceSession']>;

let loaded: Binding | undefined;
function native(): Binding {
  if (!loaded) {
    quietCollector();
    loaded = createRequire(import.meta.url)('onnxruntime-node/dist/binding.js') as Binding;
    loaded.initOrt();
  }
  return loaded;
}

/**
 * Every run hands back its outputs as new array objects around the caller's own memory, which V8 counts as freshly allocated: it then collects
 * garbage every thirty steps of an MLP and takes a third of the time. With these flags it counts them towards the heap's own limit.
 */
function quietCollector(): void {
  if (Number.parseInt(process.versions.v8) < 13) return;
  setFlagsFromString('--external-memory-accounted-in-global-limit');
  setFlagsFromString('--min-semi-space-size=64');
}

/** Providers this build of ONNX Runtime brings, by its own account. */
export function bundledProviders(): { name: string; bundled: boolean }[] {
  return native().binding.listSupportedBackends();
}

export interface OnnxRuntimeOptions {
  /** ONNX Runtime's name of the execution provider (default `cpu`). */
  provider?: string;
  /**
   * `training`: one session, run many times, keeps its arena. `sweep` (default): many cached sessions, of which each would otherwise hold
   * on to the most memory it ever used (58 MB against 4.8 MB; about 4 % of time).
   */
  memory?: 'training' | 'sweep';
  /** Sessions kept for reuse, by the bytes they are held to be worth; the least recently used goes first. */
  cacheBytes?: number;
  /** Threads inside one run. Stored results are computed with 1: more change bits in about one shape in eight. */
  threads?: number;
}

/** The native settings that go with our options. */
function sessionOptions({ provider = 'cpu', memory = 'sweep', threads = 1 }: OnnxRuntimeOptions): InferenceSession.SessionOptions {
  return {
    executionProviders: [provider],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    graphOptimizationLevel: 'all',
    enableCpuMemArena: memory === 'training',
    enableMemPattern: memory === 'training',
    logSeverityLevel: 3,
  };
}

/** A native session on a model's bytes; `name` stands for it in errors. */
export function openSession(model: Uint8Array, options: OnnxRuntimeOptions = {}, name = 'model'): NativeSession {
  const session = new (native().binding.InferenceSession)();
  try {
    session.loadModel(model.buffer as ArrayBuffer, model.byteOffset, model.byteLength, sessionOptions(options));
  } catch (error) {
    throw new ExecutionError(siteOf(error) ?? name, `ONNX Runtime (${options.provider ?? 'cpu'}) refused it: ${(error as Error).message}`, {
      cause: error,
    });
  }
  return session;
}

/** A tensor by its dtype, as ONNX Runtime takes it. */
export interface TypedData extends TensorData {
  readonly dtype: DType;
}

type RawOutputs = Record<string, { data: unknown; dims: readonly number[] }>;

/** Fixes a session's inputs and outputs (null: a new array every run); each call of the result runs once on what the arrays then hold. */
export function bindSession(
  session: NativeSession,
  inputs: Readonly<Record<string, TypedData>>,
  outputs: Readonly<Record<string, TypedData | null>>,
  name = 'model',
): () => RawOutputs {
  const feeds = Object.fromEntries(Object.entries(inputs).map(([key, tensor]) => [key, nativeTensor(`run: input ${key}`, tensor)]));
  const fetches = Object.fromEntries(
    Object.entries(outputs).map(([key, tensor]) => [key, tensor && nativeTensor(`run: output ${key}`, tensor)]),
  );
  return () => {
    try {
      return session.run(feeds, fetches, {});
    } catch (error) {
      throw new ExecutionError(siteOf(error) ?? name, (error as Error).message, { cause: error });
    }
  };
}

const DEFAULT_CACHE_BYTES = 512 * 2 ** 20;
/** What a session was measured to hold: a base, and a multiple of its model's bytes (`sweep`) or of its arena (`training`). */
const SESSION_BYTES = 4.8 * 2 ** 20;

interface Cached {
  readonly session: NativeSession;
  readonly bytes: number;
  uses: number;
}

export class OnnxRuntimeExecutor implements Executor {
  readonly name: string;
  readonly #provider: string;
  readonly #options: OnnxRuntimeOptions;
  readonly #cacheBytes: number;
  /** By digest of the model, least recently used first. */
  readonly #sessions = new Map<string, Cached>();

  constructor(options: OnnxRuntimeOptions = {}) {
    this.#provider = options.provider ?? 'cpu';
    this.name = `onnxruntime-${this.#provider}`;
    this.#cacheBytes = options.cacheBytes ?? DEFAULT_CACHE_BYTES;
    this.#options = options;
  }

  compile(program: Program): CompiledProgram {
    const bytes = writeOnnx(program, { target: this.#provider === 'cpu' ? 'fast' : 'portable' });
    const digest = createHash('sha256').update(bytes).digest('hex');
    const cached = this.#sessions.get(digest) ?? {
      session: openSession(bytes, this.#options, `program ${digest.slice(0, 12)}`),
      bytes: SESSION_BYTES + 8 * bytes.length,
      uses: 0,
    };
    this.#sessions.delete(digest);
    this.#sessions.set(digest, cached);
    cached.uses++;
    this.#evict();
    return new CompiledProgram(program, cached.session, digest, () => cached.uses--);
  }

  dispose(): void {
    for (const { session } of this.#sessions.values()) session.dispose();
    this.#sessions.clear();
  }

  /** How many sessions are held. */
  get sessions(): number {
    return this.#sessions.size;
  }

  #evict(): void {
    let held = 0;
    for (const { bytes } of this.#sessions.values()) held += bytes;
    for (const [digest, cached] of this.#sessions) {
      if (held <= this.#cacheBytes) return;
      if (cached.uses > 0) continue;
      this.#sessions.delete(digest);
      cached.session.dispose();
      held -= cached.bytes;
    }
  }
}

/** A program with its native session. */
export class CompiledProgram implements Executable {
  readonly program: Program;
  /** sha-256 of the ONNX model. */
  readonly digest: string;
  readonly #session: NativeSession;
  #release: (() => void) | undefined;

  constructor(program: Program, session: NativeSession, digest: string, release: () => void) {
    this.program = program;
    this.digest = digest;
    this.#session = session;
    this.#release = release;
  }

  run(feeds: Feeds): Results {
    return this.bind(feeds)();
  }

  /**
   * Fixes where inputs are read and outputs are written; the returned function runs once per call on whatever those arrays then hold.
   * @param into arrays for some outputs, written in place; the others are new in every run
   */
  bind(feeds: Feeds, into: Readonly<Record<string, Data>> = {}): () => Results {
    for (const name of Object.keys(into))
      if (!this.program.outputs.has(name)) throw new UserError('run: into', 'must name outputs of the program', name);
    const bindings = bindSymbols(this.program.inputs, feeds);
    const inputs: Record<string, TypedData> = {};
    for (const [name, { dtype }] of this.program.inputs) inputs[name] = { dtype, ...feeds[name] };
    const outputs: Record<string, TypedData | null> = {};
    for (const [name, { dtype, shape }] of this.program.outputs)
      outputs[name] = into[name] ? { dtype, data: into[name], shape: evaluateShape(shape, bindings) } : null;
    const run = bindSession(this.#session, inputs, outputs, `program ${this.digest.slice(0, 12)}`);
    return () => {
      // The session may be gone by now.
      if (!this.#release) throw new Error('run: the program has been disposed of');
      const raw = run();
      return Object.fromEntries(
        Object.entries(outputs).map(([name, bound]) => [name, bound ?? { data: raw[name].data as Data, shape: raw[name].dims }]),
      );
    };
  }

  dispose(): void {
    this.#release?.();
    this.#release = undefined;
  }
}

function nativeTensor(place: string, tensor: TypedData): Tensor {
  requireFits(place, tensor.dtype, tensor);
  return new Tensor(tensor.dtype as 'float32', tensor.data as Float32Array, tensor.shape);
}

/** The label of the node a message of ONNX Runtime speaks of: `… Name:'blocks.1.attn/matmul.57#%31' Status …`. */
function siteOf(error: unknown): string | undefined {
  return /Name:'([^'#]+)#/.exec((error as Error).message)?.[1] ?? /\(([^()#]+\/[A-Za-z]+\.\d+)#%\d+\)/.exec((error as Error).message)?.[1];
}
