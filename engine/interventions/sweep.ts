/** What sweeps have in common, whatever they change: states of cells, what can be reached at all, and the checks of what they are given. */
import { UserError } from '../base/errors.ts';
import type { Feeds } from '../execute/executor.ts';
import type { Graph } from '../graph/graph.ts';
import { dependents } from '../graph/program.ts';
import type { Shape } from '../graph/dimension.ts';
import type { DType, Value } from '../graph/value.ts';
import { sizeOfParameter, type ParameterSpec, type Tensors } from '../models/parameters.ts';

/**
 * A cell was run; or what it would have changed is proved to be nothing, its metric that of the clean run to the bit; or it was not run, or gave no
 * finite number.
 */
export type CellState = 'measured' | 'proved-zero' | 'not-run' | 'failed';

/** Whether a change of `changed` can matter to `output`: where it cannot, the graph itself is the proof. */
export const reaches = (changed: Value, output: Value): boolean => dependents([output], [changed]).has(output);

/** An input of the graph, declared by whichever program of it comes first. */
export const inputNamed = (graph: Graph, name: string, shape: Shape, dtype?: DType): Value =>
  graph.inputs.get(name) ?? graph.input(name, shape, dtype);

/** Parameters as feeds. @throws UserError naming one that has not the size its spec says */
export function parameterFeeds(place: string, specs: readonly ParameterSpec[], parameters: Tensors): Feeds {
  return Object.fromEntries(
    specs.map((spec) => {
      const { name, shape } = spec;
      const data = parameters[name] as Float32Array | undefined;
      if (data?.length !== sizeOfParameter(spec))
        throw new UserError(`${place}: parameter ${name}`, `must hold ${shape.join(' × ')} numbers`, data?.length);
      return [name, { data, shape }];
    }),
  );
}

export function requireInteger(place: string, value: number, low: number, high: number): void {
  if (!(Number.isInteger(value) && value >= low && value <= high))
    throw new UserError(place, `must be an integer in [${low}, ${high}]`, value);
}
