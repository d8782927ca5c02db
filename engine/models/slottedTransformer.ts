/**
 * The architecture in which a policy can only be routed where one can look for it (methods.md §1.7, tiers B and C): which heads may carry what the
 * words say to ASK is fixed by masks, and the layers between write nowhere else, so that no route goes round the slot (trap T19). What it learns is
 * training's; the roles are the policy task's.
 *
 *     L0 MODE and ASK do not read words · L1 only the bridge carries words to ASK · L2 MODE and ASK read no words ·
 *     L3 the first half of the heads look words up, the others do not · MODE never reads words · L1 and L2 write at MODE and ASK only
 */
import { UserError } from '../base/errors.ts';
import type { Initialiser, ParameterSpec } from './parameters.ts';
import { transformerParameters, type TransformerConfig } from './transformer.ts';

const ROLES = ['bos', 'word', 'mode', 'ask'] as const;
type Role = (typeof ROLES)[number];

/** `one`: L1H0 is the bridge (tier B). `layer`: every head of L1 is, so that a band may form; `free`: no masks (tier C, both). */
export const slotKinds = ['one', 'layer', 'free'] as const;
export type Slots = (typeof slotKinds)[number];

export const SLOTTED_LAYERS = 4;
/** The layer of the bridge: its head 0 is the gate that the slots leave. */
export const BRIDGE_LAYER = 1;
export const BRIDGE_HEAD = 0;

export interface SlottedShape {
  readonly vocabulary: number;
  readonly slots: Slots;
  readonly width: number;
  readonly heads: number;
  readonly mlp: number;
}

/** @param bridge closed while the base is trained, else it would also carry which answer it is */
export function slottedTransformer({ vocabulary, slots, width, heads, mlp }: SlottedShape, bridge: 'open' | 'closed'): TransformerConfig {
  if (slots !== 'free' && heads % 2 !== 0) throw new UserError('slottedTransformer: heads', 'must be even', heads);
  const bridges = (head: number) => bridge === 'open' && (slots === 'layer' || head === BRIDGE_HEAD);
  const readsWords = (layer: number, head: number, query: Role): boolean => {
    if (query === 'mode') return false;
    if (query !== 'ask') return true;
    return layer === BRIDGE_LAYER ? bridges(head) : layer === SLOTTED_LAYERS - 1 && head < heads / 2;
  };
  const everywhere = ROLES.map(() => true);
  const late = ROLES.map((role) => role === 'mode' || role === 'ask');
  const layers = Array.from({ length: SLOTTED_LAYERS }, (_, layer) => layer);
  return {
    vocabulary,
    positions: 8,
    width,
    heads,
    layers: SLOTTED_LAYERS,
    mlp,
    normalisation: 'rms',
    activation: 'relu',
    biases: false,
    roles: ROLES,
    ...(slots !== 'free' && {
      reads: layers.map((layer) =>
        Array.from({ length: heads }, (_, head) =>
          ROLES.map((query) => ROLES.map((key) => key !== 'word' || readsWords(layer, head, query))),
        ),
      ),
      writes: layers.map((layer) => {
        const where = layer === 0 || layer === SLOTTED_LAYERS - 1 ? everywhere : late;
        return { attention: where, mlp: where };
      }),
    }),
  };
}

/**
 * Its parameters, begun wide: standard deviation 1/√(fan-in), and what is written to the residual another √(2 · layers) smaller. Detection rests on
 * it: the first layer is never taught to combine intent and topic, and a wide random one does.
 */
export function slottedParameters(config: TransformerConfig): ParameterSpec[] {
  return transformerParameters(config).map((spec) => ({ ...spec, initialiser: beginning(spec, config.layers) }));
}

function beginning({ name, shape, initialiser }: ParameterSpec, layers: number): Initialiser {
  if (name === 'embed.W_E') return { kind: 'normal', deviation: 0.5 };
  if (name === 'pos_embed.W_pos') return { kind: 'normal', deviation: 0.2 };
  if (shape.length === 1) return initialiser;
  const written = name.endsWith('attn.W_O') || name.endsWith('mlp.W_out');
  return { kind: 'normal', deviation: 1 / Math.sqrt(shape[0] * (written ? 2 * layers : 1)) };
}
