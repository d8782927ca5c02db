/** Interventions of every kind on a small model, for tests that hold runners to one another. */
import type { SettledConfig } from '../../models/transformer.ts';
import type { Donor, Intervention, Positions, Write } from '../intervention.ts';

const range = (n: number) => Array.from({ length: n }, (_entry, i) => i);
export const z = (layer: number) => `blocks.${layer}.attn.hook_z`;
const control: Donor = { arm: 'control' };

/** Every head of every layer swapped at some positions, one at a time. */
export const heads = (
  { layers, heads: count }: Pick<SettledConfig, 'layers' | 'heads'>,
  positions: Positions,
  donor: Donor = control,
): Intervention[] =>
  range(layers).flatMap((layer) =>
    range(count).map((index): Intervention => ({
      id: `L${layer}H${index} ${JSON.stringify(positions)}`,
      writes: [{ site: z(layer), index, positions, op: 'swap', donor }],
    })),
  );

const vector = (size: number) => Float32Array.from({ length: size }, (_entry, i) => Math.sin(i + 1));

/** One intervention of every kind: sites, positions, operations, donors, sets of sites, paths. @param has whether the model has a site */
export function everyKind({ width, headWidth, layers }: SettledConfig, length: number, has: (site: string) => boolean): Intervention[] {
  const last = layers - 1;
  const middle = Math.floor(length / 2);
  const swap = (site: string, positions: Positions, index?: number, donor: Donor = control): Write => ({
    site,
    positions,
    op: 'swap',
    donor,
    ...(index !== undefined && { index }),
  });
  const sites = [
    'hook_embed',
    'blocks.0.hook_resid_pre',
    'blocks.1.hook_resid_mid',
    'blocks.1.hook_resid_post',
    'blocks.1.hook_attn_out',
    'blocks.0.hook_mlp_out',
    'blocks.1.ln1.hook_normalized',
    'ln_final.hook_normalized',
    ...['q', 'k', 'v', 'rot_q', 'rot_k'].map((name) => `blocks.1.attn.hook_${name}`),
    'blocks.0.mlp.hook_pre',
    'blocks.1.mlp.hook_post',
    'blocks.1.attn.gate.hook_prob',
    'blocks.1.mlp.gate.hook_logit',
  ].filter(has);
  const one = (id: string, ...writes: Write[]): Intervention => ({ id, writes });
  return [
    ...sites.flatMap((site) => [
      one(`${site} at the read position`, swap(site, 'read')),
      one(`${site}, index 0, in the middle`, swap(site, [middle], 0)),
      one(`${site} everywhere`, swap(site, 'all')),
    ]),
    one('content', swap(z(0), 'content', 1)),
    one('a role', swap('blocks.1.hook_resid_pre', { role: 'ask' })),
    one('some positions', swap(z(1), [1, 3, length - 1], 2)),
    one('mean', { site: z(1), index: 1, positions: 'read', op: 'ablate', donor: { mean: 'sensitive' } }),
    one('mean in the middle', { site: z(0), positions: [middle], op: 'ablate', donor: { mean: 'control' } }),
    one('zero', { site: z(last), positions: 'read', op: 'ablate', donor: { zero: true } }),
    one('zero everywhere', { site: z(0), index: 3, positions: 'all', op: 'ablate', donor: { zero: true } }),
    one('resampled', swap(z(1), 'read', 0, { resample: 'control' })),
    one('another prompt', swap(z(1), 'all', 0, { prompt: range(length) })),
    one('stored', swap(z(1), 'read', 0, { stored: vector(headWidth) })),
    one('set', { site: z(1), index: 2, positions: [middle], op: 'set', amount: 0.5 }),
    one('scaled', { site: z(1), index: 2, positions: 'all', op: 'scale', amount: -2 }),
    one('added', { site: 'blocks.1.hook_resid_pre', positions: 'content', op: 'add', vector: vector(width), amount: 2 }),
    one('beyond', { site: z(1), index: 1, positions: 'read', op: 'interpolate', donor: control, amount: 1.5 }),
    one('noise', { site: 'hook_embed', positions: 'all', op: 'noise', amount: 0.1 }),
    one('a direction', { site: z(1), index: 0, positions: 'all', op: 'ablate', vector: vector(headWidth), amount: 5 }),
    one('heads of a layer', ...range(4).map((index) => swap(z(1), 'read', index))),
    one('a band of layers where it is read', ...range(layers).map((layer) => swap(z(layer), 'read', 1))),
    one('a band of layers everywhere', ...range(layers).map((layer) => swap(z(layer), 'all', 2))),
    one('another one, in the same run', ...range(layers).map((layer) => swap(z(layer), 'all', 3))),
    one(
      'operations on a band',
      { site: z(0), index: 1, positions: 'all', op: 'scale', amount: 0.5 },
      { site: 'blocks.1.hook_resid_pre', positions: [middle], op: 'add', vector: vector(width) },
      { site: z(last), index: 0, positions: 'all', op: 'interpolate', donor: control, amount: 0.5 },
      { site: z(last), index: 0, positions: 'read', op: 'scale', amount: 2 },
    ),
    one('held against a change above', swap('blocks.0.hook_resid_post', 'all'), swap(z(1), 'all', undefined, { arm: 'sensitive' })),
    one('queries and keys of a head', swap('blocks.1.attn.hook_q', 'all', 0), swap('blocks.1.attn.hook_k', 'all', 0)),
    one(
      'its own',
      swap(z(0), 'all', undefined, { arm: 'sensitive' }),
      swap('blocks.1.hook_resid_mid', 'read', undefined, { arm: 'sensitive' }),
    ),
    one(
      'everything',
      swap('hook_embed', 'all'),
      ...range(layers).flatMap((layer) => [swap(z(layer), 'all'), swap(`blocks.${layer}.hook_mlp_out`, 'all')]),
    ),
    one('a pattern', swap('blocks.1.attn.hook_pattern', 'read', 0)),
    one('a direction below a write', swap(z(0), 'read', 0), {
      site: z(1),
      index: 0,
      positions: 'read',
      op: 'ablate',
      vector: vector(headWidth),
    }),
    {
      id: 'a path to a head',
      writes: [swap(z(0), 'read', 0)],
      receivers: [{ site: 'blocks.1.attn.hook_q', index: 1, positions: 'read' }],
    },
    {
      id: 'a path to a set',
      writes: [swap(z(0), 'all', 0)],
      receivers: [
        { site: `blocks.${last}.attn.hook_k`, index: 0 },
        { site: `blocks.${last}.attn.hook_v`, index: 0 },
        { site: `blocks.${last}.hook_resid_mid`, positions: 'read' },
      ],
      mlps: 'freeze',
    },
  ];
}
