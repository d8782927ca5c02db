/** Cross-entropy of class logits against labels. */
import type { Value } from '../../graph/value.ts';
import { customGradient, expandAxis, logSoftmax, multiply, negate, oneHot, softmax, subtract, sum } from '../../ops/index.ts';

/**
 * −log p(label) for logits [..., classes] and int32 labels [...]: [...]. Its slope is written as softmax − one-hot, which saves half of the
 * passes that differentiating the logarithm would take.
 */
export function crossEntropy(logits: Value, labels: Value): Value {
  return logits.graph.within('loss', () => {
    const chosen = oneHot(labels, logits.shape.at(-1) as number);
    const loss = negate(sum(multiply(logSoftmax(logits), chosen), { axes: [-1] }));
    return customGradient(loss, [logits], (d) => [multiply(subtract(softmax(logits), chosen), expandAxis(d, -1))]);
  });
}
