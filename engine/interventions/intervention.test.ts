/** What is not an intervention on a model and its pairs is refused, naming field, rule and value; what comes as JSON is read. */
import { afterAll, describe, expect, test } from 'vitest';
import { UserError } from '../base/errors.ts';
import { OnnxRuntimeExecutor } from '../execute/onnxruntime.ts';
import type { TransformerConfig } from '../models/transformer.ts';
import type { PairSet } from '../tasks/pairs.ts';
import type { RunOptions } from './effects.ts';
import { parseIntervention, type Write } from './intervention.ts';
import { drawnPairs } from './testing/drawnPairs.ts';
import { weights } from './testing/weights.ts';
import { WholeRunner } from './wholeRunner.ts';

const onnx = new OnnxRuntimeExecutor();
afterAll(() => onnx.dispose());

const CONFIG: TransformerConfig = { vocabulary: 13, positions: 7, width: 12, heads: 3, layers: 3, mlp: 10 };
const parameters = weights(CONFIG, 1);
const pairs = drawnPairs(CONFIG, { pairs: 5, length: 6, divergence: 2, seed: 2 });
const runner = new WholeRunner(onnx, { config: CONFIG, parameters });
const z = (layer: number) => `blocks.${layer}.attn.hook_z`;

describe('wrong input', () => {
  const good: Write = { site: z(1), index: 1, positions: 'read', op: 'swap', donor: { arm: 'control' } };
  const run = (write: object, extra: object = {}, options: RunOptions = {}, set: PairSet = pairs) =>
    runner.run(set, 'sensitive', [{ id: 'x', writes: [{ ...good, ...write }], ...extra }], options);
  test.each<[string, () => Promise<unknown>, RegExp]>([
    [
      'unknown site',
      () => run({ site: 'blocks.9.attn.hook_z' }),
      /intervention x: writes.0: site must be a site of the model.* got "blocks.9.attn.hook_z"/,
    ],
    ['a site without rows', () => run({ site: 'hook_pos_embed', index: undefined }), /site must be .* a value for every prompt/],
    [
      'unknown head',
      () => run({ index: 3 }),
      /intervention x: writes.0: index must be an integer in \[0, 2\] at blocks.1.attn.hook_z, got 3/,
    ],
    ['a position out of range', () => run({ positions: [6] }), /positions must be integers in \[0, 5\], got 6/],
    ['a position twice', () => run({ positions: [1, 1] }), /each named once/],
    ['unknown role', () => run({ positions: { role: 'verb' } }), /role must be one of other, last, content, got "verb"/],
    ['unknown mark', () => run({ positions: { mark: 'verb' } }), /mark must be known/],
    [
      'a donor of another shape',
      () => run({ donor: { stored: new Float32Array(3) } }),
      /donor must hold 4, 1 × 4 or 5 × 1 × 4 numbers.* got 3/,
    ],
    [
      'a donor that is not finite',
      () => run({ donor: { stored: new Float32Array(4).fill(NaN) } }),
      /donor must hold finite numbers, got NaN/,
    ],
    [
      'an arm that is not there',
      () => run({ donor: { arm: 'benignCipher' } }),
      /arm must be one of sensitive, control, cipher, got "benignCipher"/,
    ],
    ['a prompt of another length', () => run({ donor: { prompt: [1, 2] } }), /prompt must hold 6 tokens.* got 2/],
    ['a prompt of unknown tokens', () => run({ donor: { prompt: [1, 2, 3, 4, 5, 99] } }), /prompt must hold tokens in \[0, 12\], got 99/],
    ['a vector of another size', () => run({ op: 'add', vector: new Float32Array(5) }), /vector must hold 4 numbers, got 5/],
    [
      'a vector without a direction',
      () => run({ op: 'ablate', donor: undefined, vector: new Float32Array(4) }),
      /vector must have a direction/,
    ],
    ['an amount that is none', () => run({ op: 'scale', amount: NaN }), /amount must be a finite number, got NaN/],
    [
      'a receiver before the sender',
      () => run({}, { receivers: [{ site: 'blocks.0.attn.hook_q' }] }),
      /receivers must come after the first write/,
    ],
    ['an unknown token', () => run({}, {}, { metrics: [{ token: 13 }] }), /token must be a token in \[0, 12\], got 13/],
    ['an unknown site observed', () => run({}, {}, { observe: [{ site: 'nowhere' }] }), /observe.0: site/],
    [
      'prompts longer than the model',
      () => run({}, {}, {}, drawnPairs(CONFIG, { pairs: 2, length: 8, seed: 1 })),
      /length must be at most the 7 positions/,
    ],
  ])('%s', async (_name, act, message) => {
    await expect(act()).rejects.toThrow(message);
    await expect(act()).rejects.toThrow(UserError);
  });

  test('two of one name; weights that are not finite', async () => {
    await expect(
      runner.run(pairs, 'sensitive', [
        { id: 'x', writes: [good] },
        { id: 'x', writes: [good] },
      ]),
    ).rejects.toThrow(/id must be another/);
    const wrong = { ...parameters, 'blocks.1.attn.W_O': parameters['blocks.1.attn.W_O'].map((x, i) => (i === 7 ? NaN : x)) };
    expect(() => new WholeRunner(onnx, { config: CONFIG, parameters: wrong })).toThrow(
      'model: parameter blocks.1.attn.W_O must hold finite numbers, got NaN',
    );
  });

  test.each<[string, object, RegExp]>([
    ['no writes', { writes: [] }, /intervention: writes must be at least one write/],
    ['an unknown op', { writes: [{ ...good, op: 'erase' }] }, /intervention: writes.0.op must have an op/],
    ['a field too many', { writes: [{ ...good, angle: 3 }] }, /intervention: writes.0: fields must be known, got \[angle\]/],
    ['set to nothing', { writes: [{ site: z(1), positions: 'read', op: 'set' }] }, /must have an amount or a vector/],
    ['positions', { writes: [{ ...good, positions: 'last' }] }, /writes.0.positions must be "read"/],
  ])('as data: %s', (_name, extra, message) => {
    expect(() => parseIntervention({ id: 'x', writes: [good], ...extra })).toThrow(message);
  });

  test('as data: lists become vectors', () => {
    expect(parseIntervention({ id: 'x', writes: [{ site: z(1), positions: [1], op: 'add', vector: [1, 2] }] })).toEqual({
      id: 'x',
      writes: [{ site: z(1), positions: [1], op: 'add', vector: Float32Array.of(1, 2) }],
    });
  });
});
