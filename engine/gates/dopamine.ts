/**
 * Thresholds and gains of neurons: out = γ · σ((a − τ)/T) · a, hard form γ · 1[a > τ] · a.
 *
 * After *Dopamine: Brain Modes, Not Brains* (Ghasemlou 2026, arXiv:2602.11726); the formula is our reading of its abstract
 * (a smooth gate in training, hardened at inference). Hard, it is JumpReLU(a; τ) times γ; without τ it is IA³.
 */
import { cast, divide, greater, mean, multiply, sigmoid, subtract } from '../ops/index.ts';
import type { GateFamily } from './gate.ts';

export const dopamine: GateFamily = {
  id: 'dopamine',
  source: 'arXiv:2602.11726',
  unit: 'neuron',
  inputDependent: true,
  promises: { range: [0, 1], monotone: true, exactZeros: true, hardLimit: true },
  parameters: (width) => [
    { name: 'threshold', shape: [width], value: 0 },
    { name: 'gain', shape: [width], value: 1 },
  ],
  logits: ({ threshold }, activation) => subtract(activation, threshold),
  soft: (logits, temperature) => sigmoid(divide(logits, temperature)),
  hard: (logits) => cast(greater(logits, 0), 'float32'),
  apply: ({ gain }, activation, decision) => multiply(gain, multiply(decision, activation)),
  // Units that do not fire are closed whatever their threshold: only a > 0 counts.
  openness: (activation, soft) => mean(multiply(soft, cast(greater(activation, 0), 'float32')), { axes: [-1] }),
};
