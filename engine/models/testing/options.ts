/** One small transformer for each option, for tests that hold all of them to the same. */
import type { TransformerConfig } from '../transformer.ts';
import { range } from './plainTransformer.ts';

/** Small, with layer norm, learned positions, gelu. */
export const BASE: TransformerConfig = { vocabulary: 11, positions: 9, width: 8, heads: 4, layers: 3, mlp: 12 };
export const ROLES = ['start', 'content', 'ask'];
/** The first role is read by all, and each reads itself. */
const some = (query: number, key: number, turn: number) => key === 0 || key === query || (query + key + turn) % 2 === 0;
export const READS = range(3).map((layer) => range(4).map((head) => range(3).map((q) => range(3).map((k) => some(q, k, layer + head)))));

/** Each option by itself, and some together. */
export const options: Record<string, Partial<TransformerConfig>> = {
  'wide heads': { headWidth: 6 },
  'narrow heads that do not fill the width': { width: 10, headWidth: 1 },
  'grouped queries': { keyValueHeads: 2 },
  'one head of keys and values': { keyValueHeads: 1 },
  'rms norm': { normalisation: 'rms' },
  'no norm': { normalisation: 'none', epsilon: 1e-3 },
  'a large epsilon': { epsilon: 0.5 },
  'rms norm, a large epsilon': { normalisation: 'rms', epsilon: 0.5 },
  rotary: { positional: { kind: 'rotary', base: 10_000 }, headWidth: 8 },
  'no positions': { positional: { kind: 'none' } },
  'silu-gated': { activation: 'silu-gated' },
  relu: { activation: 'relu' },
  tied: { tied: true },
  'no biases': { biases: false },
  'a scale of scores': { scale: 2 },
  'read masks': { roles: ROLES, reads: READS },
  'write masks': {
    roles: ROLES,
    writes: range(3).map((layer) => ({ attention: [true, layer === 1, layer !== 1], mlp: [layer > 1, true, layer > 0] })),
  },
  'roles without masks': { roles: ROLES },
  'a gate of heads': { headGate: true },
  'two of four experts': { experts: { count: 4, chosen: 2 } },
  'one of three gated experts, no biases': { experts: { count: 3, chosen: 1 }, activation: 'silu-gated', biases: false },
  'all experts': { experts: { count: 2, chosen: 2 } },
  'an early exit nobody takes': { exit: { after: 0, threshold: 1 } },
  'an early exit all take': { exit: { after: 1, threshold: 0 } },
  'an early exit some take': { exit: { after: 1, threshold: 0.3 } },
  llama: {
    keyValueHeads: 2,
    headWidth: 4,
    normalisation: 'rms',
    positional: { kind: 'rotary', base: 10_000 },
    activation: 'silu-gated',
    tied: true,
    biases: false,
  },
};
