/** What a learning rate is multiplied by from step to step. */

/**
 * Rises linearly over the first `warmup` steps, stays, and falls linearly over the last share `decay` of all steps from 1 to `floor`.
 * @returns a factor in (0, 1] for each step, the first being 0
 */
export function warmupAndDecay(warmup: number, decay: number, floor: number): (step: number, total: number) => number {
  return (step, total) => {
    const rising = warmup > 0 ? Math.min(1, (step + 1) / warmup) : 1;
    const begin = total * (1 - decay);
    const falling = step < begin ? 1 : floor + ((1 - floor) * (total - step)) / (total - begin);
    return rising * falling;
  };
}
