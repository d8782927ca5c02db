/** Putting tensors together and taking them apart along one axis: concat, split, slice, pad. */
import { minus, plus, sameShape, type Dimension, type Shape } from '../graph/dimension.ts';
import { ShapeError, type Operation } from '../graph/operation.ts';
import type { Value } from '../graph/value.ts';
import { resolveAxes } from './reduce.ts';

const withAxis = (shape: Shape, axis: number, dimension: Dimension): Shape => shape.map((other, i) => (i === axis ? dimension : other));

/** Restriction of an axis that is neither cut nor padded. */
const alongOtherAxes: Operation['along'] = (node, axis) => (axis === node.attributes.axis ? null : [axis]);

const concatenation: Operation = {
  name: 'concat',
  infer(inputs, { axis }) {
    const at = axis as number;
    const [first] = inputs;
    if (
      !inputs.every(
        (input) =>
          input.dtype === first.dtype && input.rank === first.rank && sameShape(withAxis(input.shape, at, 1), withAxis(first.shape, at, 1)),
      )
    )
      throw new ShapeError('concat', `all dimensions but axis ${at} must agree`, inputs);
    return [{ shape: withAxis(first.shape, at, inputs.map((input) => input.shape[at]).reduce(plus)), dtype: first.dtype }];
  },
  simplify: (inputs) => (inputs.length === 1 ? inputs[0] : undefined),
  gradient({ inputs, attributes, wanted }, [d]) {
    if (!d) return [];
    const axis = attributes.axis as number;
    const sizes = inputs.map((input) => input.shape[axis]);
    if (inputs.every((_input, i) => wanted(i)) && sizes.every((size) => typeof size === 'number')) return split(d, axis, sizes);
    let begin: Dimension = 0;
    return sizes.map((size, i) => {
      const from = begin;
      begin = plus(begin, size);
      return wanted(i) ? slice(d, axis, from, begin) : undefined;
    });
  },
  along: (node, axis) => (axis === node.attributes.axis ? null : node.inputs.map(() => axis)),
  onnx: (context, node) => context.result(0, context.emit('Concat', context.inputs, { axis: node.attributes.axis as number })[0]),
  tensorflow: ({ tf }, inputs, node) => tf.concat([...inputs], node.attributes.axis as number),
};

const splitting: Operation = {
  name: 'split',
  infer([x], { axis, sizes }) {
    const at = axis as number;
    if (!(sizes as number[]).every((size) => Number.isInteger(size) && size >= 0))
      throw new ShapeError('split', `sizes must be whole numbers ≥ 0, not [${(sizes as number[]).join(', ')}]`, [x]);
    if ((sizes as number[]).reduce((a, b) => a + b, 0) !== x.shape[at])
      throw new ShapeError('split', `sizes [${(sizes as number[]).join(', ')}] must add up to axis ${at}`, [x]);
    return (sizes as number[]).map((size) => ({ shape: withAxis(x.shape, at, size), dtype: x.dtype }));
  },
  simplify: ([x], { sizes }) => ((sizes as number[]).length === 1 ? x : undefined),
  gradient({ outputs, attributes, inputs }, cotangents) {
    if (cotangents.every((d) => d === undefined)) return [];
    return [
      concat(
        outputs.map((output, i) => cotangents[i] ?? inputs[0].graph.uniform(0, output.shape)),
        attributes.axis as number,
      ),
    ];
  },
  along: alongOtherAxes,
  onnx(context, node) {
    const sizes = node.attributes.sizes as number[];
    const names = context.emit(
      'Split',
      [context.inputs[0], context.ints(sizes)],
      { axis: node.attributes.axis as number },
      { count: sizes.length },
    );
    names.forEach((name, slot) => context.result(slot, name));
  },
  tensorflow: ({ tf }, [x], node) => tf.split(x, [...(node.attributes.sizes as number[])], node.attributes.axis as number),
};

const slicing: Operation = {
  name: 'slice',
  infer([x], { axis, range }) {
    const [begin, end] = range as [Dimension, Dimension];
    const size = x.shape[axis as number];
    // What cannot be told of symbols here is left to the run.
    if ([begin, minus(end, begin), minus(size, end)].some((room) => typeof room === 'number' && !(Number.isInteger(room) && room >= 0)))
      throw new ShapeError('slice', `[${String(begin)}, ${String(end)}) must lie within axis ${String(axis)} of size ${String(size)}`, [x]);
    return [{ shape: withAxis(x.shape, axis as number, minus(end, begin)), dtype: x.dtype }];
  },
  simplify([x], _attributes, [type]) {
    if (sameShape(x.shape, type.shape)) return x;
    return x.uniform === undefined ? undefined : x.graph.uniform(x.uniform, type.shape, x.dtype);
  },
  gradient({ inputs: [x], attributes }, [d]) {
    const axis = attributes.axis as number;
    const [begin, end] = attributes.range as [Dimension, Dimension];
    return [d && pad(d, axis, begin, minus(x.shape[axis], end))];
  },
  along: alongOtherAxes,
  onnx(context, node) {
    const [begin, end] = node.attributes.range as [Dimension, Dimension];
    context.result(
      0,
      context.emit('Slice', [
        context.inputs[0],
        context.dimensions([begin]),
        context.dimensions([end]),
        context.ints([node.attributes.axis as number]),
      ])[0],
    );
  },
  tensorflow({ tf, sizes }, [x], node) {
    const begin = x.shape.map(() => 0);
    begin[node.attributes.axis as number] = sizes(node.attributes.range as Dimension[])[0]!;
    return tf.slice(x, begin, sizes(node.outputs[0].shape));
  },
};

/** Zeros before and after along one axis. */
const padding: Operation = {
  name: 'pad',
  infer([x], { axis, widths }) {
    const [before, after] = widths as [Dimension, Dimension];
    if ([before, after].some((width) => typeof width === 'number' && !(Number.isInteger(width) && width >= 0)))
      throw new ShapeError('pad', `widths must be whole numbers ≥ 0, not ${String(before)} and ${String(after)}`, [x]);
    return [{ shape: withAxis(x.shape, axis as number, plus(plus(before, x.shape[axis as number]), after)), dtype: x.dtype }];
  },
  simplify([x], { widths }, [type]) {
    if ((widths as Dimension[]).every((width) => width === 0)) return x;
    return x.uniform === 0 ? x.graph.uniform(0, type.shape, x.dtype) : undefined;
  },
  gradient({ inputs: [x], attributes }, [d]) {
    const axis = attributes.axis as number;
    const [before] = attributes.widths as [Dimension, Dimension];
    return [d && slice(d, axis, before, plus(before, x.shape[axis]))];
  },
  along: alongOtherAxes,
  onnx(context, node) {
    const widths = node.attributes.widths as [Dimension, Dimension];
    context.result(
      0,
      context.emit('Pad', [context.inputs[0], context.dimensions(widths), '', context.ints([node.attributes.axis as number])], {
        mode: 'constant',
      })[0],
    );
  },
  tensorflow({ tf, sizes }, [x], node) {
    const [before, after] = sizes(node.attributes.widths as Dimension[]) as [number, number];
    return tf.pad(
      x,
      x.shape.map<[number, number]>((_size, axis) => (axis === node.attributes.axis ? [before, after] : [0, 0])),
    );
  },
};

export function concat(values: readonly Value[], axis: number): Value {
  if (!values[0]) throw new ShapeError('concat', 'takes at least one value', 'none');
  return values[0].graph.apply(concatenation, values, { axis: resolveAxes('concat', values[0], [axis])[0] })[0];
}

/** x cut along `axis` into pieces of the given sizes. */
export function split(x: Value, axis: number, sizes: readonly number[]): readonly Value[] {
  return x.graph.apply(splitting, [x], { axis: resolveAxes('split', x, [axis])[0], sizes });
}

/** Elements [begin, end) along `axis`. */
export const slice = (x: Value, axis: number, begin: Dimension, end: Dimension): Value =>
  x.graph.apply(slicing, [x], { axis: resolveAxes('slice', x, [axis])[0], range: [begin, end] })[0];

export const pad = (x: Value, axis: number, before: Dimension, after: Dimension): Value =>
  x.graph.apply(padding, [x], { axis: resolveAxes('pad', x, [axis])[0], widths: [before, after] })[0];

export const parts = [concatenation, splitting, slicing, padding];
