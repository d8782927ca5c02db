/** Seeded numbers for specimens and tests of marks. */

/** mulberry32, in [0, 1). */
export function seeded(seed: number): () => number {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** A walk that comes back to its trend: like a loss. */
export function wander(points: number, seed: number): { at: Float64Array; values: Float64Array } {
  const random = seeded(seed);
  const at = Float64Array.from({ length: points }, (_entry, i) => i);
  let drift = 0;
  const values = at.map((i) => {
    drift = drift * 0.9 + (random() - 0.5) * 0.1;
    return 1.6 * Math.exp((-6 * i) / points) + 0.3 + seed * 0.05 + drift;
  });
  return { at, values };
}
