/** The training step of an adapted classifier, as a graph over tables: which rows are meant is all a step has to be told. */
import { UserError } from '../base/errors.ts';
import { symbol } from '../graph/dimension.ts';
import { Graph } from '../graph/graph.ts';
import type { Program } from '../graph/program.ts';
import type { Value } from '../graph/value.ts';
import { temperatureInput } from '../gates/gate.ts';
import type { Adapter } from '../models/adapters/adapter.ts';
import { mlp, mlpParameters, type MlpConfig } from '../models/mlp.ts';
import { parameterInputs, type ParameterSpec } from '../models/parameters.ts';
import { add, gather, multiply, oneHot, sum } from '../ops/index.ts';
import { stepProgram } from './stepProgram.ts';
import { frozenPrefix, type FrozenPrefix } from './frozenPrefix.ts';
import { crossEntropy } from './objectives/crossEntropy.ts';

const ROWS = symbol('rows');

export interface Classifier {
  readonly config: MlpConfig;
  /** None: the base alone, trained itself. */
  readonly adapter?: Adapter;
  /** How many modes a context-conditioned adapter holds; 1 unless given. */
  readonly modes?: number;
}

export interface StepOptions {
  /** λ: weight of the mean openness of the gates, per layer. */
  readonly sparsity?: number;
  /** Whether values the training cannot change are tabulated beforehand. */
  readonly cached?: boolean;
  /** By hidden layer, what its temperature is of the one that is annealed; 1 unless given. */
  readonly temperatureScale?: readonly number[];
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
export function splitParameters({ config, adapter, modes }: Classifier): { trained: ParameterSpec[]; frozen: ParameterSpec[] } {
  const base = mlpParameters(config);
  if (!adapter) return { trained: base, frozen: [] };
  return { trained: adapter.parameters(config, modes), frozen: adapter.trains === 'base' ? [] : base };
}

/** @param count rows of the tables `images` [count, pixels], `labels` [count] and, for context-conditioned adapters, `modes` [count] */
export function classifierStep(classifier: Classifier, count: number, options: StepOptions = {}): ClassifierStep {
  const { sparsity = 0, cached = true, temperatureScale = [] } = options;
  if (!(sparsity >= 0 && Number.isFinite(sparsity))) throw new UserError('training: sparsity', 'must be a number ≥ 0', sparsity);
  const graph = new Graph();
  const { config, adapter, modes = 1 } = classifier;
  const { trained, frozen } = splitParameters(classifier);
  const parameters = parameterInputs(graph, [...trained, ...frozen]);
  const index = graph.input('index', [ROWS], 'int32');
  const x = gather(graph.input('images', [count, config.widths[0]]), index);
  const labels = gather(graph.input('labels', [count], 'int32'), index);
  const hooks =
    adapter?.hooks(config, {
      parameters,
      temperature: (layer) => multiply(temperatureInput(graph), temperatureScale[layer] ?? 1),
      form: 'training',
      ...(adapter.contextual && { modes: oneHot(gather(graph.input('modes', [count], 'int32'), index), modes) }),
    }) ?? {};
  const logits = mlp(config, parameters, x, hooks);
  const penalties = hooks.penalties ?? [];
  const terms = sparsity > 0 ? penalties.map((penalty) => multiply(sum(penalty), sparsity)) : [];
  const whole = [sum(crossEntropy(logits, labels)), ...terms].reduce(add);
  const own = trained.map(({ name }) => parameters[name]);
  const changing = [...own, ...(graph.inputs.has('temperature') ? [graph.inputs.get('temperature')!] : [])];
  const prefix: FrozenPrefix =
    cached && frozen.length > 0 ? frozenPrefix(whole, index, count, changing) : { loss: whole, tables: undefined, rows: new Map() };
  return { program: stepProgram(prefix.loss, trained, parameters), loss: prefix.loss, trained, frozen, prefix };
}
