/** What somebody who mistyped a name may have meant. */

/** @returns the candidate with the fewest edits to the text; undefined if none shares as much as half of it */
export function nearest(text: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined;
  let least = Infinity;
  for (const candidate of candidates) {
    const edits = editDistance(text.toLowerCase(), candidate.toLowerCase());
    if (edits >= least || edits > Math.max(text.length, candidate.length) / 2) continue;
    best = candidate;
    least = edits;
  }
  return best;
}

/** Insertions, deletions and replacements that lead from one text to the other (Levenshtein 1966), row by row. */
export function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_entry, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) next.push(Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + Number(a[i - 1] !== b[j - 1])));
    row = next;
  }
  return row[b.length];
}
