/** How fast the pairs of a head turn with the position, and how longer contexts slow them down: as transformers' modeling_rope_utils.py has it. */

/** `linear`: all by one factor. `llama3`: slow pairs by the factor, fast ones not, those between by a blend of both. */
export type RotaryScaling =
  | { readonly kind: 'linear'; readonly factor: number }
  | {
      readonly kind: 'llama3';
      readonly factor: number;
      /** A pair that turns less than `low` times over the `original` positions is slow, one that turns more than `high` times fast. */
      readonly low: number;
      readonly high: number;
      readonly original: number;
    };

/** base^(−2i/headWidth) for pair i, scaled: [headWidth], the same for i and i + headWidth/2. In radians for each position. */
export function frequencies(headWidth: number, base: number, scaling?: RotaryScaling): Float32Array {
  const half = headWidth / 2;
  return Float32Array.from({ length: headWidth }, (_entry, i) => scaled(base ** (-(i % half) / half), scaling));
}

function scaled(frequency: number, scaling: RotaryScaling | undefined): number {
  if (!scaling) return frequency;
  if (scaling.kind === 'linear') return frequency / scaling.factor;
  const { factor, low, high, original } = scaling;
  const turns = (original * frequency) / (2 * Math.PI);
  // How far it is from slow to fast.
  const fast = Math.min(Math.max((turns - low) / (high - low), 0), 1);
  return ((1 - fast) * frequency) / factor + fast * frequency;
}
