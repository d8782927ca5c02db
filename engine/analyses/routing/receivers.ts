/**
 * What can receive from a head: inputs of later heads (queries, keys, values, and the gate of heads where there is one), inputs of MLPs, and the
 * unembedding. Sets of them are receivers together. Names are those of findings: `L2H0`, `L1 MLP`, `logits`.
 */
import { UserError } from '../../base/errors.ts';
import type { Receiver } from '../../interventions/intervention.ts';
import { blockSite, headLabel } from '../../models/sites.ts';
import { settled, type SettledConfig, type TransformerConfig } from '../../models/transformer.ts';
import { headOf, residualAfter, type Head } from './heads.ts';

/** How a head reads: everything, or one way alone. */
export const parts = ['all', 'q', 'k', 'v'] as const;
export type Part = (typeof parts)[number];

/** Something that reads the residual, by name. */
export type Reader =
  { readonly kind: 'head'; readonly head: Head } | { readonly kind: 'mlp'; readonly layer: number } | { readonly kind: 'logits' };

/** @throws UserError naming `place` */
export function readerOf(place: string, name: string, config: TransformerConfig): Reader {
  if (name === 'logits') return { kind: 'logits' };
  const layer = Number(/^L(\d+) MLP$/.exec(name)?.[1] ?? NaN);
  if (layer < config.layers) return { kind: 'mlp', layer };
  if (!/^L\d+H\d+$/.test(name)) throw new UserError(place, 'must be a head (L2H0), an MLP of the model (L1 MLP) or logits', name);
  return { kind: 'head', head: headOf(place, name, config) };
}

export function readerName(reader: Reader): string {
  if (reader.kind === 'logits') return 'logits';
  return reader.kind === 'mlp' ? `L${reader.layer} MLP` : headLabel(reader.head.layer, reader.head.head);
}

/** Whether a reader comes after a head: an MLP of its own layer does, a head of it does not. */
export function readsAfter(reader: Reader, { layer }: Head): boolean {
  if (reader.kind === 'logits') return true;
  return reader.kind === 'mlp' ? reader.layer >= layer : reader.head.layer > layer;
}

/** Every reader after a head: heads layer by layer, then MLPs, then the logits. */
export function readersAfter(sender: Head, config: TransformerConfig): Reader[] {
  const layers = Array.from({ length: config.layers }, (_entry, layer) => layer);
  return [
    ...layers.flatMap((layer) => Array.from({ length: config.heads }, (_entry, head): Reader => ({ kind: 'head', head: { layer, head } }))),
    ...layers.map((layer): Reader => ({ kind: 'mlp', layer })),
    { kind: 'logits' } as const,
  ].filter((reader) => readsAfter(reader, sender));
}

/** Sites that readers read at, together; each once, for heads of one group share keys and values. */
export function receiversOf(readers: readonly Reader[], part: Part, config: TransformerConfig): Receiver[] {
  const all = settled(config);
  const found = readers.flatMap((reader): Receiver[] => {
    if (reader.kind === 'logits') return part === 'all' ? [{ site: residualAfter(all.layers), positions: 'read' }] : [];
    if (reader.kind === 'mlp') return part === 'all' ? mlpInputs(all, reader.layer) : [];
    return headInputs(all, reader.head, part);
  });
  return [...new Map(found.map((receiver) => [`${receiver.site} ${receiver.index ?? ''}`, receiver])).values()];
}

function headInputs(config: SettledConfig, { layer, head }: Head, part: Part): Receiver[] {
  const shared = Math.floor((head * config.keyValueHeads) / config.heads);
  const at = (name: string, index: number): Receiver => ({ site: blockSite(layer, `attn.${name}`), index });
  const inputs = { q: at('hook_q', head), k: at('hook_k', shared), v: at('hook_v', shared) };
  if (part !== 'all') return [inputs[part]];
  return [...Object.values(inputs), ...(config.headGate ? [at('gate.hook_logit', head)] : [])];
}

function mlpInputs({ activation, experts }: SettledConfig, layer: number): Receiver[] {
  const names = ['hook_pre', ...(activation === 'silu-gated' ? ['hook_pre_linear'] : [])];
  const at = (name: string): Receiver => ({ site: blockSite(layer, `mlp.${name}`) });
  if (!experts) return names.map(at);
  const each = Array.from({ length: experts.count }, (_entry, expert) => names.map((name) => at(`experts.${expert}.${name}`)));
  return [at('gate.hook_logit'), ...each.flat()];
}
