/**
 * Runs a classifier over images and hands out what an analysis asked for: any values of its graph, chunk by chunk.
 *
 * Rows are cut into chunks of fixed size, since the number of rows of a product may change its last bits. Values can be cut out and given
 * from outside, which is how an intervention enters. What is done with the numbers is for each analysis.
 */
import { UserError } from '../base/errors.ts';
import type { Executable, Executor, Feeds, Results } from '../execute/executor.ts';
import type { GateForm } from '../gates/gate.ts';
import { symbol } from '../graph/dimension.ts';
import { Graph } from '../graph/graph.ts';
import { program, type TensorData } from '../graph/program.ts';
import type { Value } from '../graph/value.ts';
import { gateParameter } from '../models/adapters/gated.ts';
import { adapterOf } from '../models/adapters/index.ts';
import type { AdaptedPart, ClassifierModel } from '../models/classifier.ts';
import { mlp, mlpParameters } from '../models/mlp.ts';
import { parameterInputs, type ParameterSpec, type Tensors } from '../models/parameters.ts';
import type { ImageSet } from '../tasks/dataReference.ts';
import type { AnalysisContext } from './analysis.ts';

/** The foundation alone, or with its adapter: soft, or with gates hardened. */
export type Form = 'base' | GateForm;

export const CHUNK = 500;
export const ROWS = symbol('rows');

/** A hidden layer's values, [rows, width] each; the last three where its adapter has gates. */
export interface HiddenLayer {
  readonly pre: Value;
  readonly post: Value;
  /** What the next layer reads. */
  readonly out: Value;
  /** logit of the gate: > 0 where it is open. */
  readonly logit?: Value;
  readonly probability?: Value;
  /** The factor the gate multiplies with: `probability` soft, 0 or 1 hard. */
  readonly decision?: Value;
}

export interface Taps {
  readonly graph: Graph;
  /** [rows, pixels] in [0, 1] */
  readonly images: Value;
  /** int32 [rows] */
  readonly labels: Value;
  /** [rows, classes] */
  readonly logits: Value;
  readonly layers: readonly HiddenLayer[];
  /** By name, as in the model: `layers.1.weight`, `layers.0.gate.gain`. */
  readonly parameters: Readonly<Record<string, Value>>;
}

export interface Outputs {
  readonly outputs: Readonly<Record<string, Value>>;
  /** Values given from outside in every run, by the name they are then fed under. */
  readonly cuts?: Readonly<Record<string, Value>>;
}

/** Builds the graph of a model in a form; parameters are inputs, so that modes of one shape share a program. */
export function tapped({ widths, adapter }: ClassifierModel, form: Form): Taps {
  const graph = new Graph();
  const active = form === 'base' ? undefined : adapter;
  const config = { widths };
  const images = graph.input('images', [ROWS, widths[0]]);
  const labels = graph.input('labels', [ROWS], 'int32');
  const kind = active && adapterOf(active.id);
  if (form === 'hard' && !kind?.gated) throw new UserError('forward: form', 'must be "base" or "soft": nothing here has gates', form);
  const specs = parametersOf(widths, active);
  const parameters = parameterInputs(graph, specs);
  const hooks = kind?.hooks(config, {
    parameters,
    temperature: (layer) => graph.input(gateParameter(layer, 'temperature'), []),
    form: form === 'hard' ? 'hard' : 'soft',
    ...(kind.contextual && { modes: graph.input('modes', [ROWS, active!.angles.length]) }),
  });
  const logits = mlp(config, parameters, images, hooks);
  const at = (name: string) => graph.sites.get(name);
  const layers = widths.slice(1, -1).map((_width, layer): HiddenLayer => {
    const gate = `layers.${layer}.gate.`;
    return {
      pre: at(`layers.${layer}.hook_pre`)!,
      post: at(`layers.${layer}.hook_post`)!,
      out: at(`layers.${layer}.hook_out`)!,
      ...(at(`${gate}hook_logit`) && {
        logit: at(`${gate}hook_logit`)!,
        probability: at(`${gate}hook_prob`)!,
        decision: at(`${gate}hook_decision`)!,
      }),
    };
  });
  return { graph, images, labels, logits, layers, parameters };
}

function parametersOf(widths: readonly number[], adapter: ClassifierModel['adapter']): ParameterSpec[] {
  const specs = mlpParameters({ widths });
  if (!adapter) return specs;
  const kind = adapterOf(adapter.id);
  const own = kind.parameters({ widths }, adapter.angles.length);
  return kind.trains === 'base' ? own : [...specs, ...own];
}

/** Everything a model in a form feeds besides images: parameters, and the temperature of each gated layer. */
export function feedsOf(model: ClassifierModel, form: Form): Feeds {
  const adapter = form === 'base' ? undefined : model.adapter;
  const values: Tensors = { ...model.base, ...adapter?.parameters };
  return Object.fromEntries<TensorData>([
    ...parametersOf(model.widths, adapter).map(({ name, shape }) => [name, { data: values[name], shape }] as const),
    ...(adapter?.temperature.map(
      (temperature, layer) => [gateParameter(layer, 'temperature'), { data: Float32Array.of(temperature), shape: [] }] as const,
    ) ?? []),
  ]);
}

/** What is fed for images [begin, end) of a set turned by `angle`. */
export function rowFeeds(model: ClassifierModel, set: ImageSet, begin: number, end: number, angle: number): Feeds {
  const rows = end - begin;
  const pixels = set.height * set.width;
  return {
    images: { data: set.images.subarray(begin * pixels, end * pixels), shape: [rows, pixels] },
    labels: { data: set.labels.subarray(begin, end), shape: [rows] },
    ...(model.adapter && adapterOf(model.adapter.id).contextual && { modes: modesOf(model, angle, rows) }),
  };
}

/** What models must agree in for one program to compute them: all but the numbers. */
export function shapeOf({ widths, adapter }: ClassifierModel, form: Form): string {
  return JSON.stringify([form, widths, ...(form === 'base' || !adapter ? [] : [adapter.id, adapter.angles.length])]);
}

/** A model in a form, compiled for what `build` asks of it. */
export class Forward implements Disposable {
  readonly form: Form;
  #model: ClassifierModel;
  #feeds: Feeds;
  readonly #executable: Executable;
  readonly #inputs: ReadonlySet<string>;

  constructor(executor: Executor, model: ClassifierModel, form: Form, build: (taps: Taps) => Outputs) {
    this.form = form;
    this.#model = model;
    this.#feeds = feedsOf(model, form);
    const { outputs, cuts } = build(tapped(model, form));
    const compiled = program(outputs, cuts);
    this.#inputs = new Set(compiled.inputs.keys());
    this.#executable = executor.compile(compiled);
  }

  /**
   * Swaps the mode: from now on another model of the same widths and adapter is computed. Parameters are inputs, so nothing is compiled and
   * nothing is written; swapped back, the bits are those of before.
   * @throws UserError for a model of another shape, which needs a program of its own
   */
  use(model: ClassifierModel): this {
    const [own, other] = [shapeOf(this.#model, this.form), shapeOf(model, this.form)];
    if (own !== other) throw new UserError('forward: model', `must be of the shape ${own}`, other);
    this.#model = model;
    this.#feeds = feedsOf(model, this.form);
    return this;
  }

  /**
   * Runs images [begin, end) of a set.
   * @param angle of the images: says which mode of a context-conditioned adapter is switched on @param more feeds of cut values and of inputs
   * that `build` declared
   */
  run(set: ImageSet, begin: number, end: number, angle: number, more: Feeds = {}): Results {
    const feeds = { ...this.#feeds, ...rowFeeds(this.#model, set, begin, end, angle), ...more };
    return this.#executable.run(Object.fromEntries([...this.#inputs].map((name) => [name, feeds[name]])));
  }

  [Symbol.dispose](): void {
    this.#executable.dispose();
  }
}

/** The forward passes of an analysis: models of one shape share a program and take turns in it. */
export class Forwards implements Disposable {
  readonly #executor: Executor;
  readonly #build: (taps: Taps) => Outputs;
  readonly #compiled = new Map<string, Forward>();

  constructor(executor: Executor, build: (taps: Taps) => Outputs) {
    this.#executor = executor;
    this.#build = build;
  }

  /** Computes this model until it is asked for another. */
  of(model: ClassifierModel, form: Form): Forward {
    const key = shapeOf(model, form);
    const known = this.#compiled.get(key);
    if (known) return known.use(model);
    const made = new Forward(this.#executor, model, form, this.#build);
    this.#compiled.set(key, made);
    return made;
  }

  [Symbol.dispose](): void {
    for (const forward of this.#compiled.values()) forward[Symbol.dispose]();
  }
}

/** Index of the mode whose angle is nearest: the one a context-conditioned adapter is in. */
export function nearestMode({ angles }: AdaptedPart, angle: number): number {
  const distance = (other: number) => Math.abs(((((other - angle) % 360) + 540) % 360) - 180);
  return angles.reduce((best, other, i) => (distance(other) < distance(angles[best]) ? i : best), 0);
}

/** The mode of an angle as the rows' context: [rows, modes] with a single 1. */
function modesOf({ adapter }: ClassifierModel, angle: number, rows: number): TensorData {
  const { length } = adapter!.angles;
  const nearest = nearestMode(adapter!, angle);
  const data = new Float32Array(rows * length);
  for (let row = 0; row < rows; row++) data[row * length + nearest] = 1;
  return { data, shape: [rows, length] };
}

/** Calls `each` for the chunks of a set in order, with progress and chances to cancel between them. */
export async function overChunks(
  context: AnalysisContext,
  set: ImageSet,
  progress: { stage: string; done: number; total: number },
  each: (begin: number, end: number) => void,
): Promise<void> {
  for (let begin = 0; begin < set.count; begin += CHUNK) {
    const share = begin / set.count;
    context.progress({ ...progress, done: progress.done + share });
    each(begin, Math.min(set.count, begin + CHUNK));
    await context.breathe();
  }
}

/** The passes of an analysis over image sets, counted for its progress. */
export class Passes {
  readonly #context: AnalysisContext;
  readonly #total: number;
  #done = 0;

  constructor(context: AnalysisContext, total: number) {
    this.#context = context;
    this.#total = total;
  }

  async over(stage: string, set: ImageSet, each: (begin: number, end: number) => void): Promise<void> {
    await overChunks(this.#context, set, { stage, done: this.#done, total: this.#total }, each);
    this.#done += 1;
  }

  /** One that turned out not to be needed. */
  skip(): void {
    this.#done += 1;
  }
}

/** Refuses images that are not of the size, or have not the classes, a model was made for. */
export function requireFit(place: string, label: string, { widths }: ClassifierModel, set: ImageSet): void {
  const pixels = set.height * set.width;
  if (widths[0] !== pixels)
    throw new UserError(`${place}: data`, `must have ${widths[0]} pixels, as model ${label} does`, `${set.height} × ${set.width}`);
  if (widths[widths.length - 1] < set.classes.length)
    throw new UserError(`${place}: data`, `must have at most ${widths.at(-1)} classes, as model ${label} does`, set.classes.length);
}
