/**
 * Gates on neurons: out = γ · σ((x − τ)/T) · x, hard form γ · 1[x > τ] · x, with the threshold τ and the gain γ of each unit.
 *
 * After *Dopamine: Brain Modes, Not Brains* (Ghasemlou 2026, arXiv:2602.11726); the formula is our reading of its abstract (a smooth gate
 * in training, hardened at inference), the variants are our own. Hard, it is JumpReLU(x; τ) times γ. Gains alone are IA³, which decides
 * nothing and is an adapter (models/adapters/gain.ts), not a gate.
 */
import { absoluteValue, cast, divide, greater, mean, multiply, sigmoid, subtract } from '../ops/index.ts';
import type { GateFamily } from './gate.ts';

/**
 * `activation`: x is the activation, and a unit the ReLU keeps silent stays so whatever its threshold. `pre-activation`: the gate takes the
 * ReLU's place, so τ < 0 wakes dead units. `two-sided`: so too, and opens for large |x| of either sign.
 */
export const variants = ['activation', 'pre-activation', 'two-sided'] as const;
export type Variant = (typeof variants)[number];

/** @param gain whether units have gains; without, γ = 1 */
export function neuronGate(name: string, variant: Variant, { gain }: { gain: boolean }): GateFamily {
  const input = variant === 'activation' ? 'activation' : 'pre-activation';
  return {
    id: variant === 'activation' ? name : `${name}+${variant}`,
    source: 'arXiv:2602.11726',
    unit: 'neuron',
    input,
    inputDependent: true,
    promises: { range: [0, 1], monotone: true, exactZeros: true, hardLimit: true },
    parameters: (width) => [{ name: 'threshold', shape: [width], value: 0 }, ...(gain ? [{ name: 'gain', shape: [width], value: 1 }] : [])],
    logits: ({ threshold }, x) => subtract(variant === 'two-sided' ? absoluteValue(x) : x, threshold),
    soft: (logits, temperature) => sigmoid(divide(logits, temperature)),
    hard: (logits) => cast(greater(logits, 0), 'float32'),
    apply: (parameters, x, decision) => {
      const gated = multiply(decision, x);
      return gain ? multiply(parameters.gain, gated) : gated;
    },
    // A unit whose activation is 0 is closed whatever its threshold: only a > 0 counts.
    openness: (x, soft) => mean(input === 'activation' ? multiply(soft, cast(greater(x, 0), 'float32')) : soft, { axes: [-1] }),
  };
}
