/**
 * The plain twin of the SIMD kernels: the same optimisers in scalar TypeScript, equal to them bit for bit (NaN aside, whose bits are free).
 *
 * Why they agree: a sum, difference, product, quotient or square root of float32 numbers, computed in double and rounded to float32, is the
 * correctly rounded float32 result, because 53 ≥ 2·24 + 2 (S. Figueroa, "When is double rounding innocuous?", SIGNUM Newsletter 30, 1995). In
 * the subnormal range sums and products are exact in double, and a quotient differs from a midpoint by more than double's rounding.
 * For tests, and to read: it is several times slower, and checks no regions. The formulas are explained at the kernels.
 */
import type { Memory } from './memory.ts';
import type { Optimiser } from './optimiser.ts';
import { adamScalars, type AdamScalars, checkStep, sgdScalars, type SgdScalars } from './scalars.ts';
import { type OptimiserSpec, parseOptimiser } from './spec.ts';

const { fround, sqrt } = Math;

/** The same contract as createOptimiser, but the memory need not be shared. @throws UserError for a bad spec */
export function createPlainOptimiser(memory: Memory, spec: OptimiserSpec): Optimiser {
  const settings = parseOptimiser(spec);
  return {
    step(regions, t, learningRate, { begin, end } = { begin: 0, end: regions.count }, gradientScale = 1) {
      checkStep(t, learningRate, gradientScale);
      const view = (offset: number) => new Float32Array(memory.buffer, offset + 4 * begin, end - begin);
      const p = view(regions.parameters);
      const [gradientA, gradientB] = regions.gradients.map(view);
      if (settings.kind === 'sgd') {
        const buffer = settings.momentum > 0 ? view(regions.first) : undefined;
        sgd(p, buffer, gradientA, gradientB, settings.nesterov, sgdScalars(settings, learningRate, gradientScale));
      } else {
        adam(p, view(regions.first), view(regions.second), gradientA, gradientB, adamScalars(settings, t, learningRate, gradientScale));
      }
    },
    finite: (offset, count) => new Float32Array(memory.buffer, offset, count).every(Number.isFinite),
  };
}

/** One step over arrays of one length, in place. */
function adam(
  parameters: Float32Array,
  first: Float32Array,
  second: Float32Array,
  gradientA: Float32Array,
  gradientB: Float32Array | undefined,
  scalars: AdamScalars,
): void {
  const { gradientScale, decayL2, beta1, oneMinusBeta1, beta2, oneMinusBeta2, decayFactor, stepSize, correction, epsilon } = scalars;
  for (let i = 0; i < parameters.length; i++) {
    const p = parameters[i];
    const sum = gradientB === undefined ? gradientA[i] : fround(gradientA[i] + gradientB[i]);
    const g = fround(fround(sum * gradientScale) + fround(decayL2 * p));
    const m = fround(fround(beta1 * first[i]) + fround(oneMinusBeta1 * g));
    const v = fround(fround(beta2 * second[i]) + fround(fround(oneMinusBeta2 * g) * g));
    const denominator = fround(fround(fround(sqrt(v)) / correction) + epsilon);
    first[i] = m;
    second[i] = v;
    parameters[i] = fround(fround(p * decayFactor) - fround(fround(stepSize * m) / denominator));
  }
}

/** One step over arrays of one length, in place; no buffer means no momentum. */
function sgd(
  parameters: Float32Array,
  buffer: Float32Array | undefined,
  gradientA: Float32Array,
  gradientB: Float32Array | undefined,
  nesterov: boolean,
  { gradientScale, decayL2, momentum, rate }: SgdScalars,
): void {
  for (let i = 0; i < parameters.length; i++) {
    const p = parameters[i];
    const sum = gradientB === undefined ? gradientA[i] : fround(gradientA[i] + gradientB[i]);
    const g = fround(fround(sum * gradientScale) + fround(decayL2 * p));
    let direction = g;
    if (buffer !== undefined) {
      buffer[i] = fround(fround(momentum * buffer[i]) + g);
      direction = nesterov ? fround(g + fround(momentum * buffer[i])) : buffer[i];
    }
    parameters[i] = fround(p - fround(rate * direction));
  }
}
