/**
 * Computes some values at one position only.
 *
 * A read of one position is moved up through the graph, past everything that works position by position, so that a last block computes one
 * query and one MLP row instead of all. It stops where all positions are needed anyway (keys, values, what others read whole).
 */
import type { Value } from '../graph/value.ts';
import { gather } from '../ops/index.ts';
import { axesAlong, reapply } from './restrict.ts';

export interface Narrowed {
  readonly value: Value;
  /** Its positions axis. */
  readonly axis: number;
}

/**
 * Each of `targets` at `index` (int32 [1]) along its axis, which becomes 1.
 * @param wholes values that are needed at all positions besides
 */
export function narrow(targets: readonly Narrowed[], wholes: readonly Value[], index: Value): Value[] {
  const whole = new Set<Value>();
  const needWhole = (value: Value) => {
    const stack = [value];
    for (let next = stack.pop(); next; next = stack.pop()) {
      if (whole.has(next)) continue;
      whole.add(next);
      if (next.node) stack.push(...next.node.inputs);
    }
  };
  wholes.forEach(needWhole);
  // What is read whole grows while reads are moved up; it only ever grows, so this ends.
  for (let before = -1; before !== whole.size;) {
    before = whole.size;
    const seen = new Set<string>();
    const visit = (value: Value, axis: number): void => {
      if (whole.has(value) || !value.node || seen.has(`${value.id}|${axis}`)) return;
      seen.add(`${value.id}|${axis}`);
      axesAlong(value.node, axis).forEach((own, i) =>
        own === undefined ? needWhole(value.node!.inputs[i]) : visit(value.node!.inputs[i], own),
      );
    };
    targets.forEach(({ value, axis }) => visit(value, axis));
  }
  const made = new Map<string, Value>();
  const build = (value: Value, axis: number): Value => {
    const key = `${value.id}|${axis}`;
    const known = made.get(key);
    if (known) return known;
    const { node } = value;
    let result: Value;
    if (whole.has(value) || !node) result = gather(value, index, axis);
    else {
      const inputs = axesAlong(node, axis).map((own, i) => (own === undefined ? node.inputs[i] : build(node.inputs[i], own)));
      result = reapply(node, inputs, axis, 1)[node.outputs.indexOf(value)];
    }
    made.set(key, result);
    return result;
  };
  return targets.map(({ value, axis }) => build(value, axis));
}
