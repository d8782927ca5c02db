/** Cases of operations that move values about and compute nothing of them: shapes, parts, selections. */
import { elements, minus, plus, type Dimension } from '../../graph/dimension.ts';
import * as ops from '../index.ts';
import { rowsShape, type OperationCase } from './operationCase.ts';

export const layout: OperationCase[] = [
  {
    name: 'reshape',
    covers: ['reshape', 'mergeAxes', 'expandAxis'],
    inputs: (d) => [{ shape: [d.dimension(0), d.dimension(1), d.dimension(2), 6], domain: 'any' }],
    build([x], d) {
      const [a, b, c] = x.shape;
      const forms = [
        [a, b, c, 2, 3],
        [elements([a, b]), c, 6],
        [a, b, elements([c, 6])],
        [elements([a, b, c, 6])],
        [a, elements([b, c]), 3, 2],
        [1, a, b, c, 6],
        [c, b, a, 6],
      ];
      return [
        ops.sin(ops.reshape(ops.square(x), d.choose(forms))),
        ops.exp(ops.mergeAxes(x, 0, 2)),
        ops.expandAxis(ops.cos(x), d.choose([-1, 0, 2])),
      ];
    },
  },
  {
    name: 'reshape: of a reshape',
    covers: ['reshape'],
    inputs: (d) => [{ shape: [d.dimension(0), 6], domain: 'any' }],
    build: ([x]) => ops.square(ops.reshape(ops.reshape(x, [x.shape[0], 2, 3]), [elements([x.shape[0], 3]), 2])),
  },
  {
    name: 'transpose',
    inputs: (d) => [{ shape: [d.dimension(0), d.dimension(1), 1, d.dimension(2)], domain: 'any' }],
    build: ([x], d) =>
      ops.square(
        ops.transpose(
          ops.transpose(
            x,
            d.choose([
              [3, 1, 0, 2],
              [0, 2, 1, 3],
              [2, 0, 1, 3],
            ]),
          ),
          d.choose(
            [
              [1, 0, 2, 3],
              [3, 2, 1, 0],
              [0, 1, 2, 3],
            ],
            1,
          ),
        ),
      ),
  },
  {
    name: 'broadcastTo',
    inputs: (d) => [
      { shape: d.operand(0), domain: 'any' },
      { shape: d.common, domain: 'any' },
    ],
    build: ([x, like], d) => [
      ops.broadcastTo(ops.sin(x), [...(d.choose([true, false]) ? [2] : []), ...like.shape]),
      ops.exp(ops.broadcastTo(x, like.shape)),
      ops.cos(like),
    ],
  },
];

export const parts: OperationCase[] = [
  {
    name: 'concat',
    inputs: (d) =>
      [0, 1, 2].map((j) => ({
        shape: [2, 1, 3].map((size, axis) => (axis === d.drawn.pick % 3 ? (j === 0 ? d.dimension(0) : d.size(j)) : size)),
        domain: 'any' as const,
      })),
    build: ([a, b, c], d) => ops.square(ops.concat([a, b, c, b], d.drawn.pick % 3)),
  },
  {
    name: 'split',
    inputs: (d) => [{ shape: [d.dimension(0), 6, d.dimension(1)], domain: 'any' }],
    build([x], d) {
      const pieces = ops.split(x, d.choose([1, -2]), d.choose([[1, 2, 3], [6], [4, 2], [3, 3]]));
      return [ops.square(pieces[0]), ...pieces.slice(2)];
    },
  },
  {
    name: 'slice',
    inputs: (d) => [
      { shape: [plus(d.dimension(0), 2), d.dimension(0), plus(d.dimension(1), d.dimension(0)), d.dimension(1)], domain: 'any' },
    ],
    build([x], d) {
      const [long, n, both] = x.shape;
      const [axis, begin, end] = d.choose<[number, Dimension, Dimension]>([
        [0, 1, minus(long, 1)],
        [0, n, long],
        [2, n, both],
        [-2, 0, n],
        [1, 0, 1],
        [0, 0, long],
      ]);
      return ops.square(ops.slice(x, axis, begin, end));
    },
  },
  {
    name: 'pad',
    inputs: (d) => [{ shape: [d.dimension(0), d.dimension(1), 2], domain: 'any' }],
    build([x], d) {
      const [axis, before, after] = d.choose<[number, Dimension, Dimension]>([
        [0, 1, 2],
        [1, x.shape[0], 0],
        [-1, 0, x.shape[1]],
        [0, 0, 0],
        [2, 3, 1],
      ]);
      return ops.cos(ops.pad(x, axis, before, after));
    },
  },
];

export const selections: OperationCase[] = [
  {
    name: 'gather',
    inputs: (d) => [
      { shape: [3, 4, 5], domain: 'any' },
      { shape: d.common, domain: { below: 3 } },
    ],
    build: ([x, indices], d) => ops.square(ops.gather(x, indices, d.choose([0, 1, 2, -1]))),
  },
  {
    name: 'gather: int32 along a symbolic axis',
    covers: ['gather'],
    inputs: (d) => [
      { shape: [d.dimension(0), 2], domain: 'integers' },
      { shape: [2], domain: { below: d.dimension(0) } },
    ],
    build: ([x, indices]) => ops.gather(x, indices),
  },
  { name: 'oneHot', inputs: (d) => [{ shape: d.common, domain: { below: 5 } }], build: ([x]) => ops.oneHot(x, 4) },
  {
    name: 'scatterAdd',
    inputs: (d) => [
      { shape: [d.dimension(0), 2].slice(d.drawn.pick % 2), domain: { below: 3 } },
      { shape: [...[d.dimension(0), 2].slice(d.drawn.pick % 2), d.dimension(2), 2].slice(0, 4 - (d.drawn.pick % 3)), domain: 'any' },
    ],
    build: ([indices, updates]) => ops.square(ops.scatterAdd(indices, updates, 3)),
  },
  {
    name: 'takeAlong',
    inputs: (d) => [
      { shape: [...rowsShape(d).slice(0, -1), 5], domain: 'any' },
      { shape: rowsShape(d), domain: { below: 5 } },
    ],
    build: ([x, indices]) => ops.square(ops.takeAlong(x, indices)),
  },
  {
    name: 'spreadAlong',
    inputs: (d) => [
      { shape: rowsShape(d), domain: 'any' },
      { shape: rowsShape(d), domain: { below: 5 } },
    ],
    build: ([x, indices]) => ops.square(ops.spreadAlong(x, indices, 5)),
  },
  {
    name: 'topK',
    inputs: (d) => [{ shape: [...rowsShape(d).slice(0, -1), 5], domain: { grid: 0.1 } }],
    build([x], d) {
      const { values, indices } = ops.topK(x, d.choose([1, 2, 5]));
      return [ops.square(ops.multiply(values, 0.1)), indices, ops.exp(ops.takeAlong(ops.multiply(x, 0.1), indices))];
    },
  },
];
