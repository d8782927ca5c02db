/** A loss and its gradients as the program of a training step. */
import { layOut, type NamedShape } from '../execute/parameterLayout.ts';
import { program, type Program } from '../graph/program.ts';
import type { Value } from '../graph/value.ts';
import type { Parameters } from '../models/parameters.ts';
import { concat, gradient, reshape } from '../ops/index.ts';

/** Gradients of up to so many floats leave as one output: handing over an output costs as much as copying these. */
const PACKED = 1 << 16;

/**
 * Outputs `loss` and either `gradient.<name>` for each of `trained` or, where they are small, all of them as `gradients`, laid out as they
 * lie in memory (parameterLayout.ts).
 * @param loss a sum over rows
 */
export function stepProgram(loss: Value, trained: readonly NamedShape[], parameters: Parameters): Program {
  const gradients = gradient(
    loss,
    trained.map(({ name }) => parameters[name]),
  );
  const { offsets, count } = layOut(trained);
  if (count > PACKED) return program({ loss, ...Object.fromEntries(trained.map(({ name }, i) => [`gradient.${name}`, gradients[i]])) });
  const pieces: Value[] = [];
  let end = 0;
  const fill = (begin: number) => {
    if (begin > end) pieces.push(loss.graph.uniform(0, [begin - end]));
  };
  trained.forEach(({ name, shape }, i) => {
    const begin = offsets.get(name)! / 4;
    const length = shape.reduce((a, b) => a * b, 1);
    fill(begin);
    pieces.push(reshape(gradients[i], [length]));
    end = begin + length;
  });
  fill(count);
  return program({ loss, gradients: concat(pieces, 0) });
}
