/** What a sweep of sites would come to, before any of it is run: cells, forwards, the family that p counts, bytes. */
import { z } from 'zod';
import { sweepOptions, sweptModel } from '../analyses/routing/siteSweep.ts';
import { parseWith } from '../base/schema.ts';
import type { JobKind } from '../contract.ts';
import { sitesOf } from '../interventions/siteQuery.ts';
import { pairSet } from '../tasks/pairSchema.ts';
import { checkPairs } from '../tasks/pairs.ts';
import { requirePositions } from './analysePairs.ts';
import { modelOrReference, resolveModel } from './modelReference.ts';

const schema = z.strictObject({ model: modelOrReference, pairs: pairSet, options: sweepOptions.prefault({}) });

export interface SweepPlan {
  readonly cells: number;
  /** Cells that are tested together: p counts all of them. */
  readonly family: number;
  readonly pairs: number;
  /** Tokens in a prompt. */
  readonly length: number;
  /** Forwards of one prompt without a plan: every cell on every pair, and both members of the pairs once. */
  readonly forwards: number;
  /** Of the effects that are kept: summaries and, if asked for, pair by pair. */
  readonly bytes: number;
}

/** effect, share and their bounds, p, moved in double precision, and a state. */
const BYTES_OF_CELL = 8 * 8 + 4;

export const planSweep: JobKind<z.output<typeof schema>, SweepPlan> = {
  id: 'planSweep',
  version: 1,
  keeps: 'nothing',
  parse: (given) => parseWith(schema, 'planSweep', given),
  async run({ model: asked, pairs, options }, context) {
    const model = await resolveModel('planSweep: model', asked, context);
    checkPairs(pairs, model.config.vocabulary);
    requirePositions(model, pairs.length);
    const { length: cells } = sitesOf(options.sites, sweptModel(model, pairs.length));
    return {
      cells,
      family: cells,
      pairs: pairs.pairs,
      length: pairs.length,
      forwards: (cells + 2) * pairs.pairs,
      bytes: cells * BYTES_OF_CELL + (options.pairEffects ? 4 * cells * pairs.pairs : 0),
    };
  },
};
