/**
 * Heads and places as analyses of circuits name them: `L1H2`, the residual after so many layers, positions by one word. What is done with
 * them belongs to the analyses.
 */
import { z } from 'zod';
import { UserError } from '../../base/errors.ts';
import type { RunOptions } from '../../interventions/effects.ts';
import type { Arm, Intervention, Positions } from '../../interventions/intervention.ts';
import { blockSite, headLabel, headOutput } from '../../models/sites.ts';
import type { TransformerConfig } from '../../models/transformer.ts';
import type { PairSet } from '../../tasks/pairs.ts';
import type { RoutingContext } from './analysis.ts';

export interface Head {
  readonly layer: number;
  readonly head: number;
}

export const labelOf = ({ layer, head }: Head): string => headLabel(layer, head);

/** Every head, layer by layer. */
export const allHeads = ({ layers, heads }: Pick<TransformerConfig, 'layers' | 'heads'>): Head[] =>
  Array.from({ length: layers * heads }, (_entry, i) => ({ layer: Math.floor(i / heads), head: i % heads }));

/** The head of a label. @throws UserError naming `place`, for what is no head of the model */
export function headOf(place: string, label: string, { layers, heads }: Pick<TransformerConfig, 'layers' | 'heads'>): Head {
  const [layer, head] = /^L(\d+)H(\d+)$/.exec(label)?.slice(1).map(Number) ?? [NaN, NaN];
  if (!(layer < layers && head < heads))
    throw new UserError(place, `must be a head of the model, L0H0 to ${headLabel(layers - 1, heads - 1)}`, label);
  return { layer, head };
}

/** The residual between layers: 0 is the embedding. */
export const residualAfter = (layers: number): string =>
  layers === 0 ? blockSite(0, 'hook_resid_pre') : blockSite(layers - 1, 'hook_resid_post');

export const positionsOption = (fallback: string, description: string) =>
  z
    .string('must be a name')
    .default(fallback)
    .meta({ description: `${description}: read, content, all, or a mark or role of the pairs` });

/** Positions by one word. @throws UserError naming `place`, for a word these pairs do not know */
export function positionsOf(place: string, word: string, { marks = {}, roleNames = [] }: PairSet): Positions {
  if (word === 'read' || word === 'content' || word === 'all') return word;
  if (word in marks) return { mark: word };
  if (roleNames.includes(word)) return { role: word };
  throw new UserError(place, `must be one of ${['read', 'content', 'all', ...Object.keys(marks), ...roleNames].join(', ')}`, word);
}

/** A head's output at the read position as on another prompt of the pair. */
export const swapHead = ({ layer, head }: Head, arm: Arm, positions: Positions = 'read'): Intervention['writes'][number] => ({
  site: headOutput(layer),
  index: head,
  positions,
  op: 'swap',
  donor: { arm },
});

export const gateOption = z
  .string('must be "auto" or a head such as L1H0')
  .default('auto')
  .meta({ description: 'the gate, such as L1H0; auto: the head with the largest necessity + sufficiency that has a layer after it' });

export function meanOf(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i];
  return sum / values.length;
}

/** What runs of an analysis report as one piece of work: the n-th of `total` runs, each with a progress of its own. */
export class RunSteps {
  readonly #stage: string;
  readonly #context: RoutingContext;
  readonly #total: number;
  #done = 0;
  #told = 0;

  constructor(stage: string, context: RoutingContext, total: number) {
    this.#stage = stage;
    this.#context = context;
    this.#total = total;
  }

  /** The context of the next run. */
  next(): NonNullable<RunOptions['context']> {
    const begun = Math.min(this.#done++, this.#total - 1);
    const { signal, breathe, progress } = this.#context;
    return {
      signal,
      breathe,
      progress: ({ done, total }) => {
        // A run that is made of two (path patching) tells of each from its beginning: what was told is never taken back.
        this.#told = Math.max(this.#told, 100 * begun + (total > 0 ? Math.floor((100 * done) / total) : 100));
        progress({ stage: this.#stage, done: this.#told, total: 100 * this.#total });
      },
    };
  }
}
