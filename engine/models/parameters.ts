/** What parameters a model has and how they begin; the numbers themselves live with whoever trains. */
import { UserError } from '../base/errors.ts';
import type { Random } from '../base/random.ts';
import type { Graph } from '../graph/graph.ts';
import type { Value } from '../graph/value.ts';

export type Initialiser =
  | { readonly kind: 'uniform'; readonly bound: number }
  | { readonly kind: 'normal'; readonly deviation: number }
  | { readonly kind: 'constant'; readonly value: number };

export interface ParameterSpec {
  /** Unique in its model: `layers.0.weight`. */
  readonly name: string;
  readonly shape: readonly number[];
  readonly initialiser: Initialiser;
}

/** Tensors by parameter name, row-major float32. */
export type Tensors = Readonly<Record<string, Float32Array>>;
/** The graph's values by parameter name. */
export type Parameters = Readonly<Record<string, Value>>;

export const sizeOfParameter = ({ shape }: ParameterSpec): number => shape.reduce((a, b) => a * b, 1);

export const countParameters = (specs: readonly ParameterSpec[]): number => specs.reduce((total, spec) => total + sizeOfParameter(spec), 0);

/** U(−1/√fan_in, 1/√fan_in): the default of torch.nn.Linear for weights and biases alike. */
export const uniformFanIn = (fanIn: number): Initialiser => ({ kind: 'uniform', bound: 1 / Math.sqrt(fanIn) });

/** Fresh values; each parameter draws from a stream of its own name, so adding one changes no other. */
export function initialise(specs: readonly ParameterSpec[], random: Random): Tensors {
  return Object.fromEntries(
    specs.map((spec) => {
      const data = new Float32Array(sizeOfParameter(spec));
      const stream = random.fork('parameter', spec.name);
      const { initialiser } = spec;
      if (initialiser.kind === 'uniform') stream.fillUniform(data, -initialiser.bound, initialiser.bound);
      else if (initialiser.kind === 'normal') stream.fillNormal(data, 0, initialiser.deviation);
      else data.fill(initialiser.value);
      return [spec.name, data];
    }),
  );
}

/** Declares parameters as inputs of a graph. */
export function parameterInputs(graph: Graph, specs: readonly ParameterSpec[]): Parameters {
  return Object.fromEntries(specs.map((spec) => [spec.name, graph.input(spec.name, spec.shape)]));
}

/** Throws a UserError unless the tensors are those of the specs, each of the right size, and no others. */
export function checkTensors(place: string, specs: readonly ParameterSpec[], given: Tensors): void {
  const byName = new Map(specs.map((spec) => [spec.name, spec]));
  for (const [name, spec] of byName) {
    const values = given[name] as Float32Array | undefined;
    if (values?.length !== sizeOfParameter(spec))
      throw new UserError(`${place}.${name}`, `must hold ${sizeOfParameter(spec)} numbers`, values?.length);
  }
  const extra = Object.keys(given).find((name) => !byName.has(name));
  if (extra !== undefined) throw new UserError(place, `must be of ${[...byName.keys()].join(', ') || 'nothing'}`, extra);
}
