/**
 * Rotary positions as `config.json` states them: `rope_theta` beside `rope_scaling` (transformers 4) or all in `rope_parameters` (5).
 * Frequencies scaled in other ways than `linear` and `llama3` are refused by their name.
 */
import { z } from 'zod';
import { UserError } from '../../base/errors.ts';
import { between, parseWith, wholeBetween } from '../../base/schema.ts';
import type { Positional, RotaryScaling } from '../../models/transformer.ts';

const THETA = 10_000;
const theta = between(1, 1e12);
const scaling = z.record(z.string(), z.unknown(), 'must be an object');

export const rotarySchema = {
  rope_theta: theta.nullish(),
  rope_scaling: scaling.nullish(),
  rope_parameters: scaling.nullish(),
  partial_rotary_factor: between(0, 1).nullish(),
};

const parameters = z.object({
  rope_theta: theta.nullish(),
  rope_type: z.string('must be a text').nullish(),
  type: z.string('must be a text').nullish(),
  partial_rotary_factor: between(0, 1).nullish(),
});

type Stated = z.output<z.ZodObject<typeof rotarySchema>>;

const factor = between(1e-6, 1e6);
const scalings = {
  linear: z.object({ factor }),
  llama3: z.object({
    factor,
    low_freq_factor: factor,
    high_freq_factor: factor,
    original_max_position_embeddings: wholeBetween(1, 2 ** 26),
  }),
};

/** @throws UserError for frequencies that are not theta^(−2i/width) for the whole head, scaled in a way that is known */
export function rotary(config: Stated, place: string): Positional {
  const key = config.rope_parameters ? 'rope_parameters' : 'rope_scaling';
  const at = `${place}: ${key}`;
  const stated = parseWith(parameters, at, config[key] ?? {});
  const type = stated.rope_type ?? stated.type ?? 'default';
  // Some models have frequencies of their own for each type of layer: { full_attention: { … } }.
  const nested = Object.entries(config[key] ?? {}).find(
    ([, value]) => typeof value === 'object' && value !== null && !Array.isArray(value),
  );
  if (nested) throw new UserError(at, 'must be the same for all layers', nested[0]);
  const partial = stated.partial_rotary_factor ?? config.partial_rotary_factor ?? 1;
  if (partial !== 1) throw new UserError(`${place}: partial_rotary_factor`, 'must be 1: heads are turned whole', partial);
  if (stated.rope_theta != null && config.rope_theta != null && stated.rope_theta !== config.rope_theta)
    throw new UserError(`${at}: rope_theta`, `must be the rope_theta beside it, ${config.rope_theta}`, stated.rope_theta);
  const scaling = scalingOf(type, config[key], at);
  return { kind: 'rotary', base: stated.rope_theta ?? config.rope_theta ?? THETA, ...(scaling && { scaling }) };
}

function scalingOf(type: string, stated: unknown, at: string): RotaryScaling | undefined {
  if (type === 'default') return undefined;
  if (type === 'linear') return { kind: 'linear', ...parseWith(scalings.linear, at, stated) };
  if (type !== 'llama3') throw new UserError(`${at}: rope_type`, 'must be default, linear or llama3', type);
  const {
    factor,
    low_freq_factor: low,
    high_freq_factor: high,
    original_max_position_embeddings: original,
  } = parseWith(scalings.llama3, at, stated);
  if (low >= high) throw new UserError(`${at}: low_freq_factor`, `must be below the high_freq_factor ${high}`, low);
  return { kind: 'llama3', factor, low, high, original };
}
