/** The training step of an adapted classifier, as a graph over tables: which rows are meant is all a step has to be told. */
import { UserError } from '../base/errors.ts';
import { symbol } from '../graph/dimension.ts';
import { Graph } from '../graph/graph.ts';
import { program, type Program } from '../graph/program.ts';
import type { Value } from '../graph/value.ts';
import { temperatureInput, type GateForm } from '../gates/gate.ts';
import type { Adapter } from '../models/adapters/adapter.ts';
import { mlp, mlpParameters, type MlpConfig } from '../models/mlp.ts';
import { parameterInputs, type ParameterSpec } from '../models/parameters.ts';
import { add, argMax, cast, equal, gather, gradient, multiply, sum } from '../ops/index.ts';
import { frozenPrefix, type FrozenPrefix } from './frozenPrefix.ts';
import { crossEntropy } from './objectives/crossEntropy.ts';

export const ROWS = symbol('rows');

export interface Classifier {
  readonly config: MlpConfig;
  /** None: the base alone, trained itself. */
  readonly adapter?: Adapter;
}

export interface ClassifierStep {
  /** Outputs `loss` and `gradient.<name>`, both of sums over rows. */
  readonly program: Program;
  /** The loss itself, for diagnosis. */
  readonly loss: Value;
  readonly trained: readonly ParameterSpec[];
  readonly frozen: readonly ParameterSpec[];
  readonly prefix: FrozenPrefix;
}

/** Parameters of the base and of the adapter, by who is trained. */
export function splitParameters({ config, adapter }: Classifier): { trained: ParameterSpec[]; frozen: ParameterSpec[] } {
  const base = mlpParameters(config);
  if (!adapter || adapter.trains === 'base') return { trained: base, frozen: [] };
  return { trained: adapter.parameters(config), frozen: base };
}

/** Logits [rows, classes], the penalties per row, and the labels, for rows of `images` [count, width] and `labels` [count]. */
function buildClassifier(graph: Graph, classifier: Classifier, count: number, form: GateForm) {
  const { config, adapter } = classifier;
  const { trained, frozen } = splitParameters(classifier);
  const parameters = parameterInputs(graph, [...trained, ...frozen]);
  const index = graph.input('index', [ROWS], 'int32');
  const x = gather(graph.input('images', [count, config.widths[0]!]), index);
  const labels = gather(graph.input('labels', [count], 'int32'), index);
  const hooks = adapter?.hooks(config, { parameters, temperature: temperatureInput(graph), form }) ?? {};
  const logits = mlp(config, parameters, x, hooks);
  return { parameters, index, labels, logits, penalties: hooks.penalties ?? [], trained, frozen };
}

/**
 * @param count rows of the tables @param sparsity λ: weight of the mean openness of the gates, per layer
 * @param cached whether values the training cannot change are tabulated beforehand
 */
export function classifierStep(classifier: Classifier, count: number, { sparsity = 0, cached = true }: { sparsity?: number; cached?: boolean } = {}): ClassifierStep {
  if (!(sparsity >= 0 && Number.isFinite(sparsity))) throw new UserError('training: sparsity', 'must be a number ≥ 0', sparsity);
  const graph = new Graph();
  const { parameters, index, labels, logits, penalties, trained, frozen } = buildClassifier(graph, classifier, count, 'soft');
  const terms = sparsity > 0 ? penalties.map((penalty) => multiply(sum(penalty), sparsity)) : [];
  const whole = [sum(crossEntropy(logits, labels)), ...terms].reduce(add);
  const own = trained.map(({ name }) => parameters[name]!);
  const changing = [...own, ...(graph.inputs.has('temperature') ? [graph.inputs.get('temperature')!] : [])];
  const prefix: FrozenPrefix = cached && frozen.length > 0 ? frozenPrefix(whole, index, count, changing) : { loss: whole, tables: undefined, rows: new Map() };
  const gradients = gradient(prefix.loss, own);
  const outputs = Object.fromEntries(trained.map(({ name }, i) => [`gradient.${name}`, gradients[i]!]));
  return { program: program({ loss: prefix.loss, ...outputs }), loss: prefix.loss, trained, frozen, prefix };
}

/** How many of the given rows are classified right: output `correct` (a float32 count), and `logits`. */
export function classifierEvaluation(classifier: Classifier, count: number, form: GateForm): Program {
  const { labels, logits } = buildClassifier(new Graph(), classifier, count, form);
  return program({ correct: sum(cast(equal(argMax(logits), labels), 'float32')), logits });
}
