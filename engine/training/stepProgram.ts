/** A loss and its gradients as the program of a training step. */
import { isSmall, layOut, lengthOf, PACKED_HEAD, type NamedShape } from '../execute/parameterLayout.ts';
import { program, type Program } from '../graph/program.ts';
import type { Value } from '../graph/value.ts';
import type { Parameters } from '../models/parameters.ts';
import { concat, gradient, reshape } from '../ops/index.ts';

/**
 * Outputs `packed`, the loss and the gradients of small tensors as they lie in memory (parameterLayout.ts), and `gradient.<name>` for
 * each of the others.
 * @param loss a sum over rows @param parameters the values to differentiate by, at least those of `trained`
 */
export function stepProgram(loss: Value, trained: readonly NamedShape[], parameters: Parameters): Program {
  const { graph } = loss;
  const gradients = gradient(
    loss,
    trained.map(({ name }) => parameters[name]),
  );
  const { offsets, small } = layOut(trained);
  const pieces: Value[] = [reshape(loss, [1])];
  let end = 1;
  const fillTo = (begin: number) => {
    if (begin > end) pieces.push(graph.uniform(0, [begin - end]));
  };
  const large: Record<string, Value> = {};
  trained.forEach((tensor, i) => {
    if (!isSmall(tensor)) {
      large[`gradient.${tensor.name}`] = gradients[i];
      return;
    }
    const begin = PACKED_HEAD + offsets.get(tensor.name)! / 4;
    fillTo(begin);
    pieces.push(reshape(gradients[i], [lengthOf(tensor)]));
    end = begin + lengthOf(tensor);
  });
  fillTo(PACKED_HEAD + small);
  return program({ packed: concat(pieces, 0), ...large });
}
