/** Seeded numbers for the bench: sfc32 for the stream, its seeds spread by splitmix32. No other module keeps state. */

export interface Random {
  /** Uniform in [0, 1), 32 bits. */
  next(): number;
  /** Uniform in [low, high). */
  between(low: number, high: number): number;
  /** An integer in [0, below). */
  integer(below: number): number;
  /** Standard normal (Box and Muller). */
  normal(): number;
}

export function random(seed: number): Random {
  let spread = seed >>> 0;
  const splitmix = (): number => {
    spread = (spread + 0x9e3779b9) >>> 0;
    let bits = spread ^ (spread >>> 16);
    bits = Math.imul(bits, 0x21f0aaad);
    bits ^= bits >>> 15;
    bits = Math.imul(bits, 0x735a2d97);
    return (bits ^ (bits >>> 15)) >>> 0;
  };
  let [a, b, c, counter] = [splitmix(), splitmix(), splitmix(), 1];
  const next = (): number => {
    const sum = (((a + b) >>> 0) + counter) >>> 0;
    counter = (counter + 1) >>> 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) >>> 0;
    c = (((c << 21) | (c >>> 11)) + sum) >>> 0;
    return sum / 2 ** 32;
  };
  for (let warm = 0; warm < 12; warm++) next();
  return {
    next,
    between: (low, high) => low + (high - low) * next(),
    integer: (below) => Math.floor(next() * below),
    normal: () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next()),
  };
}
