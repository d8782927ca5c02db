/** What an optimiser is, as data: its kinds, ranges and defaults (PyTorch's). Schedules are left to training: a step is told its rate. */
import { z } from 'zod';
import { UserError } from '../../base/errors.ts';
import { between } from '../../base/schema.ts';
import { RATE_LIMIT } from './scalars.ts';

// Above 0.999999 a beta has hardly a digit of 1 - beta left in float32, and from 1 - 2^-25 it is 1 and the moments never decay.
const beta = (fallback: number, of: string) =>
  between(0, 0.999999)
    .default(fallback)
    .meta({ description: `decay of the mean of the ${of}` });
// PyTorch allows 0, but then 0/0 makes NaN of every parameter that has no gradient yet, and in a gated network those are common.
const epsilon = between(1e-30, 1).default(1e-8).meta({ description: 'what is added to the root of the mean square' });
const learningRate = between(0, RATE_LIMIT).meta({ description: 'size of a step' });
const weightDecay = (fallback: number) => between(0, 100).default(fallback).meta({ description: 'pull of the parameters towards 0' });
const moments = { beta1: beta(0.9, 'gradient'), beta2: beta(0.999, 'squared gradient'), epsilon };

export const optimiserSchema = z.discriminatedUnion(
  'kind',
  [
    // Adam's decay is added to the gradient (L2), AdamW's shrinks the parameters.
    z.strictObject({ kind: z.literal('adam'), learningRate, ...moments, weightDecay: weightDecay(0) }),
    z.strictObject({ kind: z.literal('adamw'), learningRate, ...moments, weightDecay: weightDecay(0.01) }),
    z
      .strictObject({
        kind: z.literal('sgd'),
        learningRate,
        momentum: between(0, 1).default(0).meta({ description: 'share of the step before that is kept' }),
        nesterov: z.boolean('must be true or false').default(false).meta({ description: 'momentum that looks ahead' }),
        weightDecay: weightDecay(0),
      })
      .refine(({ momentum, nesterov }) => momentum > 0 || !nesterov, { path: ['momentum'], message: 'must be above 0 with nesterov' }),
  ],
  'must be "adam", "adamw" or "sgd"',
);

/** What a user writes: absent fields take PyTorch's defaults. */
export type OptimiserSpec = z.input<typeof optimiserSchema>;
/** The same with every field filled in. */
export type OptimiserSettings = z.output<typeof optimiserSchema>;

/** @throws UserError naming the first field that breaks a rule, e.g. `optimiser: beta1 must be a number in [0, 0.999999], got 1` */
export function parseOptimiser(spec: OptimiserSpec): OptimiserSettings {
  const parsed = optimiserSchema.safeParse(spec);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  if (issue.code === 'unrecognized_keys') {
    throw new UserError(
      `optimiser: ${issue.keys[0]}`,
      `must not be given for ${spec.kind}`,
      (spec as Record<string, unknown>)[issue.keys[0]],
    );
  }
  const value = issue.path.reduce<unknown>((inside, key) => (inside as Record<PropertyKey, unknown>)[key], spec);
  const rule = issue.path.length > 0 ? issue.message : 'must be an object';
  throw new UserError(['optimiser:', ...issue.path].join(' '), rule, value);
}

/** How many moment buffers it needs: Adam two, SGD one with momentum and none without. @throws UserError for a bad spec */
export function slots(spec: OptimiserSpec): 0 | 1 | 2 {
  const settings = parseOptimiser(spec);
  if (settings.kind === 'sgd') return settings.momentum > 0 ? 1 : 0;
  return 2;
}
