/** Direct labels beside curves: each as near to its curve as the others let it. */

/**
 * Places in order, at least `gap` apart, within `least` … `most` if there is room, with the least sum of squared moves: blocks of labels that
 * touch are merged and centred on what they want (pool adjacent violators).
 *
 * @returns as many, in the order given
 */
export function spread(wanted: readonly number[], gap: number, least = -Infinity, most = Infinity): number[] {
  const order = wanted.map((_place, i) => i).sort((a, b) => wanted[a] - wanted[b] || a - b);
  /** `sum` of what its labels want for its first place. */
  const blocks: { count: number; sum: number }[] = [];
  const placeOf = ({ count, sum }: { count: number; sum: number }): number =>
    Math.max(least, Math.min(most - (count - 1) * gap, sum / count));
  for (const i of order) {
    blocks.push({ count: 1, sum: wanted[i] });
    for (;;) {
      const last = blocks[blocks.length - 1];
      const before = blocks[blocks.length - 2];
      if (!before || placeOf(before) + before.count * gap <= placeOf(last)) break;
      blocks.pop();
      blocks[blocks.length - 1] = { count: before.count + last.count, sum: before.sum + last.sum - last.count * before.count * gap };
    }
  }
  const places = new Array<number>(wanted.length);
  let next = 0;
  for (const block of blocks) {
    const begin = placeOf(block);
    for (let k = 0; k < block.count; k++) places[order[next++]] = begin + k * gap;
  }
  return places;
}
