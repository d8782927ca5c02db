/**
 * Runs a training step: gradients by ONNX Runtime into shared memory, then one fused update in place.
 *
 * A step is cut into two shards of rows whose gradients are summed in a fixed order, whether one thread runs both or two run one each:
 * the number of cores never changes a bit. Steps so small that a second shard would cost more than it brings have one; that
 * depends on the program and the rows, never on the machine.
 */
import { receiveMessageOnPort } from 'node:worker_threads';
import { UserError } from '../base/errors.ts';
import { shapeText } from '../graph/dimension.ts';
import { writeOnnx } from '../graph/onnx.ts';
import type { Program } from '../graph/program.ts';
import { ExecutionError } from './executor.ts';
import { startHelper, type HelperThread } from './helperThread.ts';
import {
  createOptimiser,
  parseOptimiser,
  slots,
  type Memory,
  type Optimiser,
  type OptimiserSpec,
  type Regions,
} from './optimisers/optimiser.ts';
import { Shard, type ShardPlan } from './shard.ts';
import { isSmall, layOut, PACKED_HEAD, type Layout, type NamedShape } from './parameterLayout.ts';
import { MemoryPlan, type Placement } from './sharedMemory.ts';
import {
  ANSWER,
  ANSWER_NUMBER,
  ARGUMENT,
  awaitChange,
  COMMAND,
  COMMAND_NUMBER,
  CONTROL_BYTES,
  END,
  FAILED,
  halfOf,
  lives,
  NOT_FINITE,
  RUN,
  RUN_WATCHED,
  SCALAR_BYTES,
  signal,
  UPDATE,
} from './stepProtocol.ts';
import type { StepWorkerData } from './stepWorker.ts';

/** A tensor that rows are read from, in memory that threads share. */
export interface Table {
  readonly dtype: 'float32' | 'int32';
  readonly shape: readonly number[];
  readonly buffer: SharedArrayBuffer;
}

export interface StepSpec {
  /** As training/stepProgram.ts makes it: the loss (a sum over rows) and its gradients; inputs: parameters, tables, scalars, `index`. */
  readonly program: Program;
  readonly trained: readonly NamedShape[];
  readonly frozen: readonly NamedShape[];
  readonly tables: Readonly<Record<string, Table>>;
  /** Names of scalar inputs. */
  readonly scalars: readonly string[];
  readonly optimiser: OptimiserSpec;
  /** The most rows of one step. */
  readonly rows: number;
  /** Terms of the loss in one row: 1, or positions where each counts. The mean over rows × terms is what is minimised. */
  readonly terms?: number;
  /** Threads that may be used, 1 or 2. */
  readonly threads: number;
}

/** Parameters and both moments, as they lie in memory: what a checkpoint keeps. */
export interface OptimiserState {
  readonly parameters: Float32Array;
  readonly first: Float32Array;
  readonly second: Float32Array;
}

/** A loss or gradient that is not a finite number; the parameters are those from before the step. */
export class NonFiniteStep extends Error {
  override readonly name = 'NonFiniteStep';
}

/** Most shards of a step: more threads would bring nothing. */
export const SHARDS = 2;
/** Multiply-adds in a shard below which a second one costs more than it brings (measured: bench/RESULTS.md). */
const SHARD_WORK = 8e6;

export class StepRunner {
  readonly shards: 1 | 2;
  readonly #spec: StepSpec;
  readonly #memory: Memory;
  readonly #regions: Regions;
  readonly #frozen: number;
  readonly #layouts: { trained: Layout; frozen: Layout };
  readonly #optimiser: Optimiser;
  readonly #lead: Shard[];
  readonly #helper: HelperThread | undefined;
  readonly #indices: Int32Array[];
  readonly #losses: Float32Array[];
  readonly #scalars: ReadonlyMap<string, Float32Array>;
  readonly #control: Int32Array;
  readonly #controlScalars: Float64Array;
  /** Shards of the last step: a batch of fewer than four rows has one. */
  #used = 1;
  #disposed = false;

  /** Compiles the step and, with two threads and two shards, starts the helper. */
  static async create(spec: StepSpec): Promise<StepRunner> {
    const runner = new StepRunner(spec);
    try {
      await runner.#helper?.ready;
    } catch (error) {
      await runner.dispose();
      throw error;
    }
    return runner;
  }

  private constructor(spec: StepSpec) {
    if (!Number.isInteger(spec.rows) || spec.rows < 1) throw new UserError('step: rows', 'must be a positive integer', spec.rows);
    checkProgram(spec);
    this.#spec = spec;
    const trained = layOut(spec.trained);
    const frozen = layOut(spec.frozen);
    const work = (trained.count + frozen.count) * spec.rows * (spec.terms ?? 1);
    this.shards = spec.rows >= 4 && work > 2 * SHARD_WORK ? 2 : 1;

    const plan = new MemoryPlan();
    const region = () => plan.reserve(4 * trained.count);
    const moments = slots(spec.optimiser);
    const parameters = region();
    // The packed output ends in the gradients of the small tensors, with which the region of gradients begins.
    const packed = Array.from({ length: this.shards }, () => plan.reserve(4 * (PACKED_HEAD + trained.count)));
    const gradients = packed.map((at) => at + 4 * PACKED_HEAD);
    const first = moments > 0 ? region() : parameters;
    const second = moments > 1 ? region() : parameters;
    this.#frozen = plan.reserve(4 * frozen.count);
    const indices = Array.from({ length: this.shards }, () => plan.reserve(4 * spec.rows));
    const scalars = spec.scalars.map((name) => [name, plan.reserve(4)] as const);
    const control = plan.reserve(CONTROL_BYTES + SCALAR_BYTES);
    this.#memory = plan.create();
    this.#regions = { parameters, gradients, first, second, count: trained.count };
    this.#layouts = { trained, frozen };

    const { buffer } = this.#memory;
    this.#indices = indices.map((at) => new Int32Array(buffer, at, spec.rows));
    this.#losses = packed.map((at) => new Float32Array(buffer, at, 1));
    this.#scalars = new Map(scalars.map(([name, at]) => [name, new Float32Array(buffer, at, 1)]));
    this.#control = new Int32Array(buffer, control, CONTROL_BYTES / 4);
    this.#controlScalars = new Float64Array(buffer, control + CONTROL_BYTES, 3);
    this.#optimiser = createOptimiser(this.#memory, spec.optimiser);

    const inputs: Record<string, Placement> = {};
    const offer = (name: string, placement: Placement) => {
      if (spec.program.inputs.has(name)) inputs[name] = placement;
    };
    for (const { name, shape } of spec.trained) offer(name, { dtype: 'float32', shape, at: parameters + trained.offsets.get(name)! });
    for (const { name, shape } of spec.frozen) offer(name, { dtype: 'float32', shape, at: this.#frozen + frozen.offsets.get(name)! });
    for (const [name, table] of Object.entries(spec.tables)) offer(name, { dtype: table.dtype, shape: table.shape, at: table.buffer });
    for (const [name, at] of scalars) offer(name, { dtype: 'float32', shape: [], at });
    for (const [name, value] of spec.program.inputs) {
      const place = inputs[name];
      if (name === 'index') continue;
      if (!place) throw new UserError('step: input', 'must be a parameter, a table, a scalar or `index`', name);
      if (place.dtype !== value.dtype || shapeText(place.shape) !== shapeText(value.shape))
        throw new UserError(`step: input ${name}`, `must be ${String(value)}`, `${place.dtype}${shapeText(place.shape)}`);
    }

    const model = writeOnnx(spec.program);
    const plans = gradients.map((gradient, shard): ShardPlan => {
      const outputs: Record<string, Placement> = { packed: { dtype: 'float32', shape: [PACKED_HEAD + trained.small], at: packed[shard] } };
      for (const { name, shape } of spec.trained.filter((tensor) => !isSmall(tensor)))
        outputs[`gradient.${name}`] = { dtype: 'float32', shape, at: gradient + trained.offsets.get(name)! };
      return { model, memory: this.#memory, inputs, outputs, index: indices[shard] };
    });
    // The helper compiles while the lead does.
    if (this.shards === 2 && spec.threads > 1)
      this.#helper = startHelper(new URL('./stepWorker.ts', import.meta.url), {
        plan: plans[1],
        optimiser: parseOptimiser(spec.optimiser),
        regions: this.#regions,
        control,
      } satisfies Omit<StepWorkerData, 'errors'>);
    try {
      const lead = new Shard(plans[0]);
      this.#lead = this.#helper ? [lead] : [lead, ...plans.slice(1).map((other) => new Shard(other, lead))];
    } catch (error) {
      void this.#helper?.thread.terminate();
      throw error;
    }
  }

  /** The values of a parameter where they lie; writing to it changes the parameter. */
  parameter(name: string): Float32Array {
    const { trained, frozen } = this.#layouts;
    const spec = [...this.#spec.trained, ...this.#spec.frozen].find((candidate) => candidate.name === name);
    if (!spec) throw new UserError('step: parameter', 'must be one of the step', name);
    const at = trained.offsets.has(name) ? this.#regions.parameters + trained.offsets.get(name)! : this.#frozen + frozen.offsets.get(name)!;
    return new Float32Array(
      this.#memory.buffer,
      at,
      spec.shape.reduce((a, b) => a * b, 1),
    );
  }

  /** The gradient of the summed loss in the last step's shards, added: for tests and diagnosis. */
  gradient(name: string): Float32Array {
    const at = this.#layouts.trained.offsets.get(name);
    if (at === undefined) throw new UserError('step: gradient', 'must be of a trained parameter', name);
    const { length } = this.parameter(name);
    const views = this.#regions.gradients
      .slice(0, this.#used)
      .map((gradient) => new Float32Array(this.#memory.buffer, gradient + at, length));
    return Float32Array.from(views[0], (entry, i) => entry + (views[1]?.[i] ?? 0));
  }

  setScalar(name: string, value: number): void {
    const place = this.#scalars.get(name);
    if (!place) throw new UserError('step: scalar', `must be one of ${[...this.#scalars.keys()].join(', ')}`, name);
    place[0] = value;
  }

  /**
   * One step on the rows named in `rows` (numbers into the tables): gradients, then the update.
   * @param t the step, counted from 1
   * @param watched whether the gradients are looked at before they are used; otherwise only the loss is
   * @returns the mean loss before the update
   * @throws NonFiniteStep with the parameters untouched
   */
  step(rows: Int32Array, t: number, learningRate: number, watched = true): number {
    const loss = this.evaluate(rows, watched);
    const scale = 1 / (rows.length * (this.#spec.terms ?? 1));
    const regions = { ...this.#regions, gradients: this.#regions.gradients.slice(0, this.#used) };
    const update = (begin: number, end: number) => this.#optimiser.step(regions, t, learningRate, { begin, end }, scale);
    if (this.#helper && this.#used === 2) {
      this.#controlScalars.set([t, learningRate, scale]);
      this.#beside(this.#helper, UPDATE, 0, () => update(0, halfOf(regions.count)));
    } else update(0, regions.count);
    return loss;
  }

  /** Loss and gradients without an update. */
  evaluate(rows: Int32Array, watched = true): number {
    if (rows.length < 1 || rows.length > this.#spec.rows)
      throw new UserError('step: rows', `must be 1 to ${this.#spec.rows} row numbers`, rows.length);
    const sizes = this.#split(rows.length);
    this.#used = sizes.length;
    sizes.forEach((size, shard) => this.#indices[shard].set(shard === 0 ? rows.subarray(0, size) : rows.subarray(rows.length - size)));
    let finite = true;
    const own = (shard: number) => {
      this.#lead[shard].run(sizes[shard]);
      finite = (!watched || this.#optimiser.finite(this.#regions.gradients[shard], this.#regions.count)) && finite;
    };
    if (this.#helper && sizes.length === 2) {
      const answer = this.#beside(this.#helper, watched ? RUN_WATCHED : RUN, sizes[1], () => own(0));
      finite &&= answer !== NOT_FINITE;
    } else sizes.forEach((_size, shard) => own(shard));
    const sum = sizes.reduce((total, _size, shard) => total + this.#losses[shard][0], 0);
    if (!finite || !Number.isFinite(sum)) throw new NonFiniteStep(`the ${Number.isFinite(sum) ? 'gradient' : 'loss'} is not finite`);
    return sum / (rows.length * (this.#spec.terms ?? 1));
  }

  /** Whether all trained parameters are finite: an update may overflow though its gradient did not. */
  finite(): boolean {
    return this.#optimiser.finite(this.#regions.parameters, this.#regions.count);
  }

  /** A copy of what the optimiser works on; see {@link restore}. */
  snapshot(): OptimiserState {
    const { parameters, first, second, count } = this.#regions;
    const copy = (at: number) => new Float32Array(this.#memory.buffer, at, count).slice();
    return { parameters: copy(parameters), first: copy(first), second: copy(second) };
  }

  restore(state: OptimiserState): void {
    const { parameters, first, second, count } = this.#regions;
    for (const [at, data] of [
      [first, state.first],
      [second, state.second],
      [parameters, state.parameters],
    ] as const) {
      if (data.length !== count) throw new UserError('step: state', `must hold ${count} numbers`, data.length);
      new Float32Array(this.#memory.buffer, at, count).set(data);
    }
  }

  /** Ends the helper thread and frees the sessions; once is enough. */
  async dispose(): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    if (this.#helper) {
      this.#command(END, 0);
      await this.#helper.ended;
    }
    this.#lead[0].dispose();
  }

  /** Rows of each shard. */
  #split(rows: number): number[] {
    if (this.shards === 1 || rows < 4) return [rows];
    return [Math.ceil(rows / 2), Math.floor(rows / 2)];
  }

  #command(command: number, argument: number): number {
    const before = Atomics.load(this.#control, ANSWER_NUMBER);
    this.#control[COMMAND] = command;
    this.#control[ARGUMENT] = argument;
    signal(this.#control, COMMAND_NUMBER);
    return before;
  }

  /**
   * The helper obeys a command while the lead does its `own` part. Whatever fails, both have finished when this returns or throws, so that no
   * late answer is taken for that of the next command.
   */
  #beside(helper: HelperThread, command: number, argument: number, own: () => void): number {
    if (this.#disposed) throw new Error('step: the runner has been disposed of');
    const before = this.#command(command, argument);
    let mistake: Error | undefined;
    try {
      own();
    } catch (error) {
      mistake = error as Error;
    }
    awaitChange(this.#control, ANSWER_NUMBER, before, () => {
      if (!lives(helper.thread)) throw new ExecutionError('training step', 'the helper thread has died', { cause: mistake });
    });
    const answer = this.#control[ANSWER];
    const failure = answer === FAILED && (receiveMessageOnPort(helper.errors) as { message: unknown } | undefined);
    if (mistake) throw mistake;
    if (failure !== false) throw new ExecutionError('training step', `in the helper thread: ${String(failure?.message)}`);
    return answer;
  }
}

/** The outputs that a step needs are there, and of the right shapes. */
function checkProgram({ program, trained }: StepSpec): void {
  const large = trained.filter((tensor) => !isSmall(tensor)).map(({ name, shape }) => [`gradient.${name}`, shape] as const);
  const shapes = [['packed', [PACKED_HEAD + layOut(trained).small]] as const, ...large];
  for (const [name, shape] of shapes) {
    const output = program.outputs.get(name);
    if (output?.dtype !== 'float32' || shapeText(output.shape) !== shapeText(shape))
      throw new UserError(`step: output ${name}`, `must be float32${shapeText(shape)}`, output && String(output));
  }
}
