/** The norms of a transformer, and their sites: `hook_normalized` is what is read next, `hook_scale` what was divided by. */
import type { Value } from '../../graph/value.ts';
import { layerNormParts, reciprocal, rmsNormParts, site } from '../../ops/index.ts';
import type { SettledConfig } from './config.ts';

/**
 * The norm named `name` (`ln1`) of x [.., width]; x itself where there are no norms. `hook_scale` [.., 1] is a reading: the norm does not
 * depend on it, so nothing can be written there.
 */
export function norm({ normalisation, epsilon, width }: SettledConfig, p: (name: string) => Value, name: string, x: Value): Value {
  if (normalisation === 'none') return x;
  return x.graph.within(name, () => {
    const gain = p(`${name}.w`);
    const bias = (p(`${name}.b`) as Value | undefined) ?? x.graph.uniform(0, [width]);
    const { value, inverse } = normalisation === 'layer' ? layerNormParts(x, gain, bias, epsilon) : rmsNormParts(x, gain, epsilon);
    site('hook_scale', reciprocal(inverse));
    return site('hook_normalized', value);
  });
}
