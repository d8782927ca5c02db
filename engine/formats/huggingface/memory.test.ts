/** The estimate of memory: weights counted; activations against what a graph must hold at once, node by node; against a case worked by hand. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { evaluateShape, symbol } from '../../graph/dimension.ts';
import { Graph } from '../../graph/graph.ts';
import { program } from '../../graph/program.ts';
import type { Value } from '../../graph/value.ts';
import { parameterInputs } from '../../models/parameters.ts';
import { transformer, transformerInputs, transformerParameters, type TransformerConfig } from '../../models/transformer.ts';
import { openCheckpoint, memoryOf } from './load.ts';
import { estimateMemory } from './memory.ts';
import { checkpoint, small, weightsOf } from './testing/checkpoints.ts';

/** The most bytes of values that are computed and still needed, over all moments of a forward that computes node after node. */
function mostHeld(config: TransformerConfig, rows: number, positions: number): number {
  const graph = new Graph();
  const logits = transformer(
    config,
    parameterInputs(graph, transformerParameters(config)),
    transformerInputs(config, graph, symbol('rows'), symbol('positions')),
  );
  const { nodes } = program({ logits });
  const lastUse = new Map<Value, number>();
  nodes.forEach((node, i) => node.inputs.forEach((value) => lastUse.set(value, i)));
  const bindings = new Map(Object.entries({ rows, positions }));
  const bytes = (value: Value) => 4 * evaluateShape(value.shape, bindings).reduce((a, b) => a * b, 1);
  let [held, most] = [0, 0];
  nodes.forEach((node, i) => {
    for (const value of node.outputs) held += bytes(value);
    most = Math.max(most, held);
    for (const value of new Set([...node.inputs, ...node.outputs]))
      if (value.source.kind === 'node' && (lastUse.get(value) ?? i) === i && value !== logits) held -= bytes(value);
  });
  return most;
}

const config: TransformerConfig = {
  vocabulary: 11,
  positions: 64,
  width: 32,
  heads: 4,
  layers: 2,
  mlp: 24,
  headWidth: 8,
  keyValueHeads: 2,
  normalisation: 'rms',
  positional: { kind: 'rotary', base: 100 },
  activation: 'silu-gated',
  tied: true,
  biases: false,
};

test('activations are what a forward holds at once, or up to four times as much', () => {
  const size = (max: number) => fc.integer({ min: 1, max });
  const property = fc.property(
    size(300),
    size(4),
    size(300),
    size(8),
    size(64),
    fc.boolean(),
    (vocabulary, groups, mlp, rows, positions, gated) => {
      const one: TransformerConfig = {
        ...config,
        vocabulary,
        mlp,
        keyValueHeads: groups === 3 ? 1 : groups,
        activation: gated ? 'silu-gated' : 'gelu',
      };
      const { activations } = estimateMemory(one, { rows, positions });
      const held = mostHeld(one, rows, positions);
      expect(activations).toBeGreaterThanOrEqual(0.8 * held);
      expect(activations).toBeLessThanOrEqual(4 * held);
    },
  );
  fc.assert(property, { numRuns: 60 });
});

test('of a checkpoint: its weights as float32, and a forward or the reading of its largest tensor', async () => {
  const folder = checkpoint(small);
  const opened = await openCheckpoint(folder);
  const weights = Object.values(weightsOf(small)).reduce((sum, { data }) => sum + 4 * data.length, 0);
  const estimate = memoryOf(opened, { rows: 1, positions: 1 });
  // The largest are the queries' and outputs' matrices, 32 × 32.
  expect(estimate).toMatchObject({ weights, reading: 4 * 4 * 32 * 32, total: weights + 4 * 4 * 32 * 32 });
  // 3 × 16 × 32 beside 6 × 16 × 32 and 2 × 4 × 16², and a mask of 16², for each of ten rows but the mask.
  const larger = memoryOf(opened, { rows: 10, positions: 16 });
  expect(larger.activations).toBe(4 * (10 * (1536 + 3072 + 2048) + 256));
  expect(larger.total).toBe(weights + larger.activations);
});
