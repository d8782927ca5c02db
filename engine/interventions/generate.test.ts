/** Continuations against a forward in plain loops with a hook that is called one position at a time, as with kept keys and values. */
import { afterAll, expect, test } from 'vitest';
import { UserError } from '../base/errors.ts';
import { OnnxRuntimeExecutor } from '../execute/onnxruntime.ts';
import type { TransformerConfig } from '../models/transformer.ts';
import { continueGreedily } from './generate.ts';
import type { Intervention } from './intervention.ts';
import { PlannedRunner } from './plannedRunner.ts';
import { drawnPairs } from './testing/drawnPairs.ts';
import { plainForward, plainSites } from './testing/plainForward.ts';
import { z } from './testing/screens.ts';
import { weights } from './testing/weights.ts';
import { WholeRunner } from './wholeRunner.ts';

const onnx = new OnnxRuntimeExecutor();
afterAll(() => onnx.dispose());

const CONFIG: TransformerConfig = { vocabulary: 13, positions: 12, width: 12, heads: 3, layers: 3, mlp: 10 };
const SIZE = CONFIG.width / CONFIG.heads;
const parameters = weights(CONFIG, 1);
const [PAIRS, LENGTH, STEPS] = [6, 6, 5];
const pairs = drawnPairs(CONFIG, { pairs: PAIRS, length: LENGTH, divergence: 1, seed: 2 });
const runners = [new WholeRunner(onnx, { config: CONFIG, parameters }), new PlannedRunner(onnx, { config: CONFIG, parameters })];

const RESIDUAL = 'blocks.1.hook_resid_post';

/** Greedy tokens of a pair, a head and the residual further up taken from the control at the last position of the prompt, and (persistent) of every later call. */
function byHand(pair: number, lifetime: 'prompt' | 'persistent' | undefined): number[] {
  const tokens = [...pairs.arms.sensitive.subarray(pair * LENGTH, (pair + 1) * LENGTH)];
  const control = plainSites(CONFIG, parameters, pairs.arms.control.subarray(pair * LENGTH, (pair + 1) * LENGTH));
  const made: number[] = [];
  for (let step = 0; step < STEPS; step++) {
    const logits = plainForward(CONFIG, parameters, [...tokens, ...made], (site, values) => {
      if (!lifetime || (site !== z(0) && site !== RESIDUAL)) return;
      const donor = control.get(site)![LENGTH - 1];
      const [begin, end] = site === RESIDUAL ? [0, CONFIG.width] : [SIZE, 2 * SIZE];
      for (let position = LENGTH - 1; position < (lifetime === 'persistent' ? values.length : LENGTH); position++)
        for (let i = begin; i < end; i++) values[position][i] = donor[i];
    });
    const last = logits[logits.length - 1];
    made.push(last.indexOf(Math.max(...last)));
  }
  return made;
}

const swapped = (lifetime: 'prompt' | 'persistent'): Intervention => ({
  id: lifetime,
  lifetime,
  writes: [
    { site: z(0), index: 1, positions: 'read', op: 'swap', donor: { arm: 'control' } },
    { site: RESIDUAL, positions: 'read', op: 'swap', donor: { arm: 'control' } },
  ],
});

test.each(runners.map((runner) => [runner.constructor.name, runner] as const))(
  '%s: no intervention, in the prompt only, persistent',
  async (_name, runner) => {
    const options = { steps: STEPS, positions: CONFIG.positions };
    const expected = (lifetime?: 'prompt' | 'persistent') => Array.from({ length: PAIRS }, (_entry, pair) => byHand(pair, lifetime)).flat();
    expect([...(await continueGreedily(runner, pairs, 'sensitive', undefined, options))]).toEqual(expected());
    for (const lifetime of ['prompt', 'persistent'] as const)
      expect([...(await continueGreedily(runner, pairs, 'sensitive', swapped(lifetime), options))], lifetime).toEqual(expected(lifetime));
    // The two are two records.
    expect(expected('prompt')).not.toEqual(expected('persistent'));
    expect(expected('prompt')).not.toEqual(expected());
  },
);

test('what cannot be generated', async () => {
  const run = (steps: number, extra: Partial<Intervention> = {}) =>
    continueGreedily(runners[0], pairs, 'sensitive', { ...swapped('prompt'), ...extra }, { steps, positions: CONFIG.positions });
  await expect(run(7)).rejects.toThrow('generate: steps must leave prompts within the 12 positions of the model, got 7');
  await expect(run(0)).rejects.toThrow(UserError);
  await expect(run(1, { receivers: [{ site: 'blocks.2.attn.hook_q' }] })).rejects.toThrow('generate: receivers must not be there');
  await expect(run(1, { writes: [{ site: z(1), positions: 'read', op: 'noise', amount: 1 }] })).rejects.toThrow(
    'generate: writes.0: op must not be noise',
  );
});
