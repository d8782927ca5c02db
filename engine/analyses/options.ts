/** Options that several analyses take: which images, turned by how much, and gates in which form. */
import { z } from 'zod';
import { between } from '../base/schema.ts';
import { adapterOf } from '../models/adapters/index.ts';
import type { ClassifierModel } from '../models/classifier.ts';
import type { Form } from './forward.ts';

export const angle = (fallback: number, description: string) => between(-360, 360).default(fallback).meta({ description, unit: '°' });

/** A list of distinct angles; where it may be empty, {@link anglesFor} says what that means. */
export const angles = (
  fallback: readonly number[],
  description: string,
  { least = 1, most = 360 }: { least?: number; most?: number } = {},
) =>
  z
    .array(between(-360, 360), 'must be a list of angles')
    .min(least, `must be at least ${least} angles`)
    .max(most, `must be at most ${most} angles`)
    .refine((given) => new Set(given).size === given.length, 'must name each angle once')
    .default([...fallback])
    .meta({ description, unit: '°' });

/** Of analyses of one mode: none stands for its own. */
export const ownAngles = angles([], "degrees the images are turned by; none: the first angle of the mode's training", { least: 0 });

/** The angles asked for, or the first that the mode was trained on. */
export const anglesFor = (given: readonly number[], { adapter, angles: own }: ClassifierModel): readonly number[] =>
  given.length > 0 ? given : [(adapter?.angles ?? own)[0]];

export const part = z
  .enum(['test', 'heldOut'], 'must be "test" or "heldOut"')
  .default('test')
  .meta({ description: 'images: those for testing, or the training images set apart for choosing' });

/** `hard` is the default of analyses that ask what gates decide, `soft` of those that ask how well a model does. */
export const form = (fallback: 'soft' | 'hard') =>
  z
    .enum(['soft', 'hard'], 'must be "soft" or "hard"')
    .default(fallback)
    .meta({ description: 'gates as trained (soft), or deciding for 0 or 1 (hard); models without gates have one form' });

/** The form a model has: its own where it has no gates, the base's where it has no adapter. */
export function formOf({ adapter }: ClassifierModel, asked: 'soft' | 'hard'): Form {
  if (!adapter) return 'base';
  return adapterOf(adapter.id).gated ? asked : 'soft';
}

/** The form as a fact: an asked one is not everybody's. */
export function formFact(models: readonly ClassifierModel[], asked: 'soft' | 'hard'): string {
  const gated = models.filter(({ adapter }) => adapter && adapterOf(adapter.id).gated).length;
  if (gated === 0) return 'no gates';
  return gated === models.length ? asked : `${asked}; models without gates have one form`;
}
