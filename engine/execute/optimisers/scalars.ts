/** The float32 scalars a step of an optimiser needs: shared by the SIMD kernels and their plain twin, so both compute with the same. */
import { UserError } from '../../base/errors.ts';
import type { OptimiserSettings } from './spec.ts';

/** The largest rate and gradient scale: far above any in use, far below where float32 overflows. */
export const RATE_LIMIT = 1000;

/** Names of the scalars of Adam and AdamW, in the kernel's order; the formula is at the kernel. */
export const ADAM_SCALARS = [
  'gradientScale',
  'decayL2',
  'beta1',
  'oneMinusBeta1',
  'beta2',
  'oneMinusBeta2',
  'decayFactor',
  'stepSize',
  'correction',
  'epsilon',
] as const;
export type AdamScalars = Record<(typeof ADAM_SCALARS)[number], number>;

/** Names of the scalars of SGD, in the kernel's order; the formula is at the kernel. */
export const SGD_SCALARS = ['gradientScale', 'decayL2', 'momentum', 'rate'] as const;
export type SgdScalars = Record<(typeof SGD_SCALARS)[number], number>;

/** The scalars of step t (1-based), computed in double and rounded once to float32, as PyTorch does. */
export function adamScalars(
  settings: OptimiserSettings & { kind: 'adam' | 'adamw' },
  t: number,
  rate: number,
  gradientScale: number,
): AdamScalars {
  const { kind, beta1, beta2, weightDecay } = settings;
  return rounded({
    gradientScale,
    decayL2: kind === 'adam' ? weightDecay : 0,
    beta1,
    oneMinusBeta1: 1 - beta1,
    beta2,
    oneMinusBeta2: 1 - beta2,
    decayFactor: kind === 'adamw' ? 1 - rate * weightDecay : 1,
    stepSize: rate / (1 - integerPower(beta1, t)),
    correction: Math.sqrt(1 - integerPower(beta2, t)),
    epsilon: settings.epsilon,
  });
}

export function sgdScalars(settings: OptimiserSettings & { kind: 'sgd' }, rate: number, gradientScale: number): SgdScalars {
  return rounded({ gradientScale, decayL2: settings.weightDecay, momentum: settings.momentum, rate });
}

/** @throws UserError unless t counts from 1 and the rate and the scale are in range */
export function checkStep(t: number, rate: number, gradientScale: number): void {
  if (!Number.isSafeInteger(t) || t < 1) throw new UserError('optimiser.step: t', 'must be an integer from 1', t);
  if (!(rate >= 0 && rate <= RATE_LIMIT))
    throw new UserError('optimiser.step: learningRate', `must be a number in [0, ${RATE_LIMIT}]`, rate);
  if (!(gradientScale >= 0 && gradientScale <= RATE_LIMIT)) {
    throw new UserError('optimiser.step: gradientScale', `must be a number in [0, ${RATE_LIMIT}]`, gradientScale);
  }
}

/** base^n by squaring: multiplications only, so the same bits everywhere, which Math.pow does not promise. */
function integerPower(base: number, n: number): number {
  let power = 1;
  for (let square = base, rest = n; rest > 0 && power > 0; rest = Math.floor(rest / 2), square *= square) {
    if (rest % 2 === 1) power *= square;
  }
  return power;
}

function rounded<T extends Record<string, number>>(scalars: T): T {
  return Object.fromEntries(Object.entries(scalars).map(([name, value]) => [name, Math.fround(value)])) as T;
}
