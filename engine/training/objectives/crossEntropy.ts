/** Cross-entropy of class logits against labels. */
import type { Value } from '../../graph/value.ts';
import { logSoftmax, multiply, negate, oneHot, sum } from '../../ops/index.ts';

/** −log p(label) for logits [..., classes] and int32 labels [...]: [...]. */
export function crossEntropy(logits: Value, labels: Value): Value {
  const classes = logits.shape.at(-1) as number;
  return negate(sum(multiply(logSoftmax(logits), oneHot(labels, classes)), { axes: [-1] }));
}
