/** Both members of every pair as prompts of one set: what a mean or a draw over the whole corpus is taken from, and what is done to both alike. */
import { prompts, type PairSet } from '../../tasks/pairs.ts';

/**
 * Twice as many pairs: each as it is, then each turned round. Its `sensitive` arm holds all sensitive prompts, then all control ones, so a mean or a
 * resample over that arm is one over the whole corpus (mean ablation over sensitive prompts alone would leave a gate open).
 */
export function pooled(set: PairSet): PairSet {
  const { pairs, length } = set;
  const twice = (one: Int32Array, other = one): Int32Array => {
    const both = new Int32Array(one.length + other.length);
    both.set(one);
    both.set(other, one.length);
    return both;
  };
  const [sensitive, control] = [prompts(set, 'sensitive'), prompts(set, 'control')];
  const { positive, negative } = set.metric;
  return {
    pairs: 2 * pairs,
    length,
    arms: { sensitive: twice(sensitive, control), control: twice(control, sensitive) },
    ...(set.roles && { roles: set.roles.length === length ? set.roles : twice(set.roles) }),
    ...(set.roleNames && { roleNames: set.roleNames }),
    read: twice(set.read),
    metric: {
      positive: { ...positive, tokens: twice(positive.tokens) },
      negative: { ...negative, tokens: twice(negative.tokens) },
    },
    ...(set.content && { content: twice(set.content) }),
    ...(set.marks && { marks: Object.fromEntries(Object.entries(set.marks).map(([name, at]) => [name, twice(at)])) }),
  };
}
