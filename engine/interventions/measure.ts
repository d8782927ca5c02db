/** Metrics from the logits where pairs are read. Sums are in double precision, in the order of the tokens. */
import { UserError } from '../base/errors.ts';
import type { PairSet, TokenSets } from '../tasks/pairs.ts';
import type { Metric } from './effects.ts';

export const metricName = (metric: Metric): string =>
  typeof metric === 'string' ? metric : 'token' in metric ? `logit ${metric.token}` : metric.name;

/** @throws UserError for a token the model does not know, or two metrics of one name */
export function checkMetrics(metrics: readonly Metric[], { pairs }: PairSet, vocabulary: number): void {
  if (metrics.length === 0) throw new UserError('run: metrics', 'must be at least one', 'none');
  const token = (place: string, number: number) => {
    if (!(Number.isInteger(number) && number >= 0 && number < vocabulary))
      throw new UserError(`run: ${place}`, `must be a token in [0, ${vocabulary - 1}]`, number);
  };
  const names = new Set<string>();
  for (const metric of metrics) {
    const name = metricName(metric);
    if (names.has(name)) throw new UserError('run: metrics', 'must have a name each', name);
    names.add(name);
    if (typeof metric === 'string') continue;
    if ('token' in metric) token('token', metric.token);
    else
      for (const side of ['positive', 'negative'] as const) {
        const { count, tokens } = metric[side];
        if (count < 1 || tokens.length !== count * pairs)
          throw new UserError(`run: metric ${name}: ${side}`, `must hold ${pairs} × ${count} tokens`, tokens.length);
        tokens.forEach((number) => token(`metric ${name}: ${side}`, number));
      }
  }
}

/** The metric of a pair whose logits stand at `at`. */
export function measure(metric: Metric, pairs: PairSet, pair: number, logits: Float32Array, at: number, vocabulary: number): number {
  if (metric === 'argmax') {
    let best = 0;
    for (let token = 0; token < vocabulary; token++) {
      if (Number.isNaN(logits[at + token])) return NaN;
      if (logits[at + token] > logits[at + best]) best = token;
    }
    return best;
  }
  if (metric !== 'difference' && 'token' in metric) return logits[at + metric.token];
  const { positive, negative } = metric === 'difference' ? pairs.metric : metric;
  return meanLogit(positive, pair, logits, at) - meanLogit(negative, pair, logits, at);
}

function meanLogit({ count, tokens }: TokenSets, pair: number, logits: Float32Array, at: number): number {
  let sum = 0;
  for (let i = 0; i < count; i++) sum += logits[at + tokens[pair * count + i]];
  return sum / count;
}
