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
import { add, argMax, cast, equal, gather, multiply, sum } from '../ops/index.ts';
import { stepProgram } from './stepProgram.ts';
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

/** The rows that `index` [rows] names, read from the tables `images` [count, width] and `labels` [count]. */
function readRows(graph: Graph, { widths }: MlpConfig, count: number) {
  const index = graph.input('index', [ROWS], 'int32');
  const x = gather(graph.input('images', [count, widths[0]]), index);
  return { index, x, labels: gather(graph.input('labels', [count], 'int32'), index) };
}

/**
 * @param count rows of the tables @param sparsity λ: weight of the mean openness of the gates, per layer
 * @param cached whether values the training cannot change are tabulated beforehand
 */
export function classifierStep(
  classifier: Classifier,
  count: number,
  { sparsity = 0, cached = true }: { sparsity?: number; cached?: boolean } = {},
): ClassifierStep {
  if (!(sparsity >= 0 && Number.isFinite(sparsity))) throw new UserError('training: sparsity', 'must be a number ≥ 0', sparsity);
  const graph = new Graph();
  const { config, adapter } = classifier;
  const { trained, frozen } = splitParameters(classifier);
  const parameters = parameterInputs(graph, [...trained, ...frozen]);
  const { index, x, labels } = readRows(graph, config, count);
  const hooks = adapter?.hooks(config, { parameters, temperature: temperatureInput(graph), form: 'soft' }) ?? {};
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

/** One way of using a base: as it is, or adapted. */
export interface ClassifierForm {
  readonly adapter?: Adapter;
  readonly form: GateForm;
  readonly temperature: number;
}

/**
 * How many of the given rows each form classifies right: outputs `correct.<i>` (float32 counts) and `logits.<i>`. Form i's own parameters are
 * inputs named `form<i>.<name>`. One graph for all, so that what forms have in common is computed once.
 */
export function classifierEvaluation(config: MlpConfig, count: number, forms: readonly ClassifierForm[]): Program {
  const graph = new Graph();
  const base = parameterInputs(graph, mlpParameters(config));
  const { x, labels } = readRows(graph, config, count);
  const outputs: Record<string, Value> = {};
  forms.forEach(({ adapter, form, temperature }, i) => {
    const specs = adapter ? (adapter.trains === 'base' ? mlpParameters(config) : adapter.parameters(config)) : [];
    const own = Object.fromEntries(specs.map(({ name, shape }) => [name, graph.input(`form${i}.${name}`, shape)]));
    const parameters = { ...base, ...own };
    const logits = graph.within(`form${i}`, () =>
      mlp(config, parameters, x, adapter?.hooks(config, { parameters, temperature: graph.uniform(temperature), form })),
    );
    outputs[`logits.${i}`] = logits;
    outputs[`correct.${i}`] = sum(cast(equal(argMax(logits), labels), 'float32'));
  });
  return program(outputs);
}
