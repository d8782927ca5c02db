/** Transformers with every option drawn, for property tests; a failure shrinks towards the default model. */
import fc from 'fast-check';
import type { Random } from '../../base/random.ts';
import type { TransformerConfig } from '../transformer.ts';

const ROLES = ['start', 'content', 'ask'];

/** Whom queries of each role may read, by head: themselves and what comes first at least, so that nobody reads nothing. */
const drawnReads = fc
  .array(fc.boolean(), { minLength: 9, maxLength: 9 })
  .map((flags) => ROLES.map((_query, query) => ROLES.map((_key, key) => key === query || key === 0 || flags[3 * query + key])));
const drawnFlags = fc.array(fc.boolean(), { minLength: 3, maxLength: 3 });

export const drawnConfig: fc.Arbitrary<TransformerConfig> = fc
  .record({
    vocabulary: fc.integer({ min: 2, max: 9 }),
    positions: fc.integer({ min: 1, max: 7 }),
    width: fc.integer({ min: 4, max: 10 }),
    keyValueHeads: fc.integer({ min: 1, max: 3 }),
    group: fc.integer({ min: 1, max: 3 }),
    halfHead: fc.integer({ min: 1, max: 3 }),
    layers: fc.integer({ min: 1, max: 3 }),
    mlp: fc.integer({ min: 1, max: 9 }),
    options: fc.record(
      {
        normalisation: fc.constantFrom('layer' as const, 'rms' as const, 'none' as const),
        epsilon: fc.constantFrom(1e-6, 0.1),
        positional: fc.constantFrom({ kind: 'learned' as const }, { kind: 'rotary' as const, base: 100 }, { kind: 'none' as const }),
        activation: fc.constantFrom('gelu' as const, 'silu-gated' as const, 'relu' as const),
        tied: fc.boolean(),
        biases: fc.boolean(),
        scale: fc.constantFrom(1, 0.3),
        headGate: fc.boolean(),
      },
      { requiredKeys: [] },
    ),
    reads: fc.option(fc.array(fc.array(drawnReads, { minLength: 9, maxLength: 9 }), { minLength: 3, maxLength: 3 }), { nil: undefined }),
    writes: fc.option(fc.array(fc.record({ attention: drawnFlags, mlp: drawnFlags }), { minLength: 3, maxLength: 3 }), { nil: undefined }),
    experts: fc.option(fc.record({ count: fc.integer({ min: 1, max: 4 }), skipped: fc.nat(3) }), { nil: undefined }),
    exit: fc.option(fc.record({ after: fc.nat(1), threshold: fc.constantFrom(0, 0.3, 0.5, 1) }), { nil: undefined }),
  })
  .map(({ group, halfHead, options, reads, writes, experts, exit, ...sizes }): TransformerConfig => {
    const { layers, keyValueHeads } = sizes;
    const heads = keyValueHeads * group;
    return {
      ...sizes,
      ...options,
      heads,
      headWidth: 2 * halfHead,
      ...((reads ?? writes) ? { roles: ROLES } : {}),
      ...(reads && { reads: reads.slice(0, layers).map((ofLayer) => ofLayer.slice(0, heads)) }),
      ...(writes && { writes: writes.slice(0, layers) }),
      ...(experts && { experts: { count: experts.count, chosen: Math.max(1, experts.count - experts.skipped) } }),
      ...(exit && layers > 1 ? { exit: { ...exit, after: Math.min(exit.after, layers - 2) } } : {}),
    };
  });

/** The role of each of `length` positions: the first is the start, the others anything. */
export const drawnRoles = ({ roles }: TransformerConfig, length: number, random: Random): Int32Array =>
  Int32Array.from({ length }, (_entry, i) => (i === 0 || !roles ? 0 : random.integer(roles.length)));
