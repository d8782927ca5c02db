/** What a sweep of sites would come to, before any of it is run: cells, forwards and runs, what is proved, the family that p counts, seconds and bytes. */
import { z } from 'zod';
import { sweepInterventions, sweepOptions, sweptModel } from '../analyses/routing/siteSweep.ts';
import { parseWith } from '../base/schema.ts';
import type { JobKind } from '../contract.ts';
import { OnnxRuntimeExecutor } from '../execute/onnxruntime.ts';
import { PlannedRunner } from '../interventions/plannedRunner.ts';
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
  /** Forwards of all pairs that the plain way takes, one cell after the other. */
  readonly naiveForwards: number;
  /** Forwards of all pairs that are made, and runs of what cells can change. */
  readonly forwards: number;
  readonly runs: number;
  /** Cells proved to change nothing, which are not run. */
  readonly proved: number;
  /** Cells that are run whole, and why the first is. */
  readonly whole: number;
  readonly reason?: string;
  /** Expected here and now, of one thread. */
  readonly seconds: { readonly naive: number; readonly planned: number };
  /** Of the effects that are kept, summaries and, if asked for, pair by pair; of the largest run with what is kept for it, in each thread. */
  readonly bytes: { readonly effects: number; readonly memory: number };
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
    const cells = sitesOf(options.sites, sweptModel(model, pairs.length));
    const { base, interventions } = sweepInterventions(cells, options);
    const executor = new OnnxRuntimeExecutor();
    const runner = new PlannedRunner(executor, model);
    try {
      const pace = runner.measureWork(pairs, base, () => performance.now() / 1000);
      const plan = runner.plan(pairs, base, interventions, {}, pace);
      const [first] = plan.wholes;
      return {
        cells: cells.length,
        family: plan.family.length,
        pairs: pairs.pairs,
        length: pairs.length,
        naiveForwards: plan.naiveForwards,
        forwards: plan.forwards,
        runs: plan.runs,
        proved: plan.proved.length,
        whole: plan.wholes.length,
        ...(first && { reason: first.reason }),
        seconds: plan.seconds!,
        bytes: {
          effects: cells.length * BYTES_OF_CELL + (options.pairEffects ? 4 * cells.length * pairs.pairs : 0),
          memory: plan.bytes.run + plan.bytes.chunk + plan.bytes.effects,
        },
      };
    } finally {
      runner.dispose();
      executor.dispose();
    }
  },
};
