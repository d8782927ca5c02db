/** Keeping what is written out of a subspace: the step that makes a gate silent in the logits, whatever it learns (methods.md §1.7, tier B, 5). */

/** Relative to the vector itself: what is shorter lies in the span of those before it. */
const NOTHING_LEFT = 1e-6;

/** An orthonormal basis of the span of some vectors, in double precision; those that depend on others add nothing. */
export function orthonormal(vectors: readonly ArrayLike<number>[]): Float64Array[] {
  const basis: Float64Array[] = [];
  for (const vector of vectors) {
    const rest = Float64Array.from(vector);
    const size = Math.sqrt(dot(rest, rest));
    // Twice: what rounding leaves the first time is taken the second.
    for (let pass = 0; pass < 2; pass++) for (const direction of basis) remove(rest, direction);
    const left = Math.sqrt(dot(rest, rest));
    if (left > NOTHING_LEFT * size) basis.push(rest.map((entry) => entry / left));
  }
  return basis;
}

/** Makes every row [width] of `rows` orthogonal to an orthonormal basis, in place. */
export function projectOut(rows: Float32Array, basis: readonly Float64Array[]): void {
  const width = basis[0]?.length ?? rows.length;
  for (let begin = 0; begin < rows.length; begin += width) {
    const row = rows.subarray(begin, begin + width);
    const exact = Float64Array.from(row);
    for (const direction of basis) remove(exact, direction);
    row.set(exact);
  }
}

function remove(vector: Float64Array, direction: Float64Array): void {
  const amount = dot(vector, direction);
  for (let i = 0; i < vector.length; i++) vector[i] -= amount * direction[i];
}

function dot(a: Float64Array, b: Float64Array): number {
  let total = 0;
  for (let i = 0; i < a.length; i++) total += a[i] * b[i];
  return total;
}
