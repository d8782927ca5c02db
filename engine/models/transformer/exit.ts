/** Early exit: a row that is sure enough after some block takes its logits from there. */
import { minus } from '../../graph/dimension.ts';
import type { Value } from '../../graph/value.ts';
import { cast, greater, greaterEqual, matmul, max, site, slice, softmax, where } from '../../ops/index.ts';
import type { SettledConfig } from './config.ts';
import { norm } from './norm.ts';

export interface Exit {
  /** [rows, positions, vocabulary] */
  readonly logits: Value;
  /** 1 for rows that leave here, else 0: [rows, 1, 1]. */
  readonly decision: Value;
}

/**
 * A row leaves as a whole, by how sure it is at its last position: its other positions depend on that one, which is why position reuse
 * refuses what reaches the decision. Sites: `exit.hook_logits`, `exit.gate.hook_prob`, `exit.gate.hook_decision`.
 */
export function exitAfter(config: SettledConfig, p: (name: string) => Value, residual: Value): Exit {
  const { graph } = residual;
  return graph.within('exit', () => {
    const normal = norm(config, (name) => p(`exit.${name}`), 'ln', residual);
    const logits = site('hook_logits', matmul(normal, p('exit.unembed.W_U')));
    const positions = logits.shape[1];
    const last = slice(logits, 1, minus(positions, 1), positions);
    return graph.within('gate', () => {
      const probability = site('hook_prob', max(softmax(last), { axes: [-1], keep: true }));
      return { logits, decision: site('hook_decision', cast(greaterEqual(probability, config.exit!.threshold), 'float32')) };
    });
  });
}

/** Logits of rows that left, and of those that went on. */
export const takeExit = ({ logits, decision }: Exit, others: Value): Value => where(greater(decision, 0.5), logits, others);
