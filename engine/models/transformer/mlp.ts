/** The MLP of one block: one, or several experts among which a router chooses for each token. */
import type { Value } from '../../graph/value.ts';
import { add, divide, gelu, matmul, multiply, oneHot, relu, silu, site, slice, softmax, subtract, sum, topK } from '../../ops/index.ts';
import type { SettledConfig } from './config.ts';

type Lookup = (name: string) => Value | undefined;

/** What the MLP adds to the residual; parameters are those of the block (`mlp.W_in`), sites go into the current scope. */
export function feedForward(config: SettledConfig, p: Lookup, x: Value): Value {
  return config.experts ? experts(config, config.experts, p, x) : hidden(config, (name) => p(`mlp.${name}`), x);
}

function hidden({ activation }: SettledConfig, p: Lookup, x: Value): Value {
  const linear = (input: Value, letter: string) => matmul(input, p(`W_${letter}`)!, { bias: p(`b_${letter}`) });
  if (activation === 'silu-gated') {
    const gate = silu(site('hook_pre', linear(x, 'gate')));
    return linear(site('hook_post', multiply(gate, site('hook_pre_linear', linear(x, 'in')))), 'out');
  }
  const pre = site('hook_pre', linear(x, 'in'));
  return linear(site('hook_post', activation === 'relu' ? relu(pre) : gelu(pre)), 'out');
}

/**
 * Every expert on every token, of which the `chosen` most probable count, each by its share of their probabilities (Mixtral,
 * arXiv:2401.04088). No expert has a capacity, so tokens do not see one another. The choice has no gradient; the shares do.
 * `hook_margin` [.., 1] is a reading: by how much the last expert chosen is more probable than the first that is not.
 */
function experts(config: SettledConfig, { count, chosen }: { count: number; chosen: number }, p: Lookup, x: Value): Value {
  const { graph } = x;
  const share = graph.within('gate', () => {
    const probability = site('hook_prob', softmax(site('hook_logit', matmul(x, p('mlp.gate.W')!, { bias: p('mlp.gate.b') }))));
    if (chosen < count) {
      const { values } = topK(probability, chosen + 1);
      site('hook_margin', subtract(slice(values, -1, chosen - 1, chosen), slice(values, -1, chosen, chosen + 1)));
    }
    const decision = site('hook_decision', sum(oneHot(topK(probability, chosen).indices, count), { axes: [-2] }));
    const kept = multiply(probability, decision);
    return divide(kept, sum(kept, { axes: [-1], keep: true }));
  });
  return Array.from({ length: count }, (_entry, expert) => {
    const given = graph.within(`experts.${expert}`, () => hidden(config, (name) => p(`mlp.experts.${expert}.${name}`), x));
    return multiply(given, slice(share, -1, expert, expert + 1));
  }).reduce((a, b) => add(a, b));
}
