/** Screens of heads of every architecture option, against whole forwards of both executors; plannedRunner.full.test.ts has every kind of intervention. */
import { afterAll, describe, expect, test } from 'vitest';
import { EXACT, expectClose } from '../base/testing/closeTo.ts';
import { Random } from '../base/random.ts';
import { OnnxRuntimeExecutor } from '../execute/onnxruntime.ts';
import { TensorFlowExecutor } from '../execute/tensorflow.ts';
import type { TransformerConfig } from '../models/transformer.ts';
import { BASE, options } from '../models/testing/options.ts';
import { randomWeights } from '../models/testing/plainTransformer.ts';
import { metricOf, type Effects } from './effects.ts';
import { modelGraph } from './modelGraph.ts';
import { PlannedRunner } from './plannedRunner.ts';
import { meanGap } from './testing/drawnPairs.ts';
import { ALLOWED, LENGTH, pairsFor } from './testing/holdToWholes.ts';
import { heads } from './testing/screens.ts';
import { WholeRunner } from './wholeRunner.ts';

const onnx = new OnnxRuntimeExecutor();
const executors = [onnx, new TensorFlowExecutor()];
afterAll(() => onnx.dispose());

/** Where heads are swapped: at the beginning, in the middle, where pairs are read. */
const POSITIONS = [0, LENGTH / 2, LENGTH - 1];
const PAIRS = 2;

const screened = (config: Pick<TransformerConfig, 'layers' | 'heads'>) => POSITIONS.flatMap((position) => heads(config, [position]));
const named = (layer: number, head: number, position: number) => `L${layer}H${head} [${position}]`;

async function screen(config: TransformerConfig): Promise<Effects> {
  const runner = new PlannedRunner(onnx, { config, parameters: randomWeights(config, new Random(3)) });
  const effects = await runner.run(pairsFor(config, 0, PAIRS), 'sensitive', screened(config));
  runner.dispose();
  return effects;
}

describe('equal to whole forwards, cell by cell', () => {
  test.each(Object.entries(options).filter(([, option]) => !option.exit))('%s', async (_name, option) => {
    const config = { ...BASE, ...option };
    const pairs = pairsFor(config, 0, PAIRS);
    const actual = await screen(config);
    expect(actual.wholes).toEqual([]);
    const model = modelGraph({ config, parameters: randomWeights(config, new Random(3)) });
    for (const executor of executors) {
      const whole = new WholeRunner(executor, model);
      const expected = await whole.run(pairs, 'sensitive', screened(config));
      const donor = metricOf(await whole.run(pairs, 'control', []), 'difference');
      const gap = meanGap(metricOf(expected, 'difference'), donor);
      const tolerance = { relative: 0, absolute: ALLOWED * gap };
      const clean = metricOf(actual, 'difference');
      expectClose(clean, metricOf(expected, 'difference'), tolerance, `${executor.name}: clean`);
      // Of the last layer, whatever is before the position that is read.
      expect(actual.state.filter((state) => state === 'proved-zero').length).toBeGreaterThanOrEqual((POSITIONS.length - 1) * config.heads);
      let moved = 0;
      actual.interventions.forEach((id, i) => {
        const what = `${executor.name}: ${id}`;
        const effect = metricOf(actual, 'difference', id);
        expectClose(effect, metricOf(expected, 'difference', id), tolerance, what);
        if (actual.state[i] === 'proved-zero') {
          expectClose(effect, clean, EXACT, `${what}: proved zero`);
          expectClose(metricOf(expected, 'difference', id), metricOf(expected, 'difference'), EXACT, `${what}: zero in the plain way`);
          return;
        }
        // The check has teeth: the number of another head is not taken for this one's.
        const other = metricOf(expected, 'difference', actual.interventions[(i + 1) % actual.interventions.length]);
        if (!effect.some((metric, pair) => Math.abs(metric - other[pair]) > 1e-3 * gap)) return;
        expect(() => expectClose(effect, other, tolerance, what)).toThrow(what);
        moved++;
      });
      expect(moved, 'cells that tell heads apart').toBeGreaterThanOrEqual(config.layers * config.heads);
      whole.dispose();
    }
  });

  test('what roles may not read or write moves nothing but last bits', async () => {
    const range = (count: number) => Array.from({ length: count }, (_entry, i) => i);
    const at = (effects: Effects, layer: number, head: number) => metricOf(effects, 'difference', named(layer, head, LENGTH / 2));
    const blind = range(3).map((layer) =>
      range(4).map(() => range(3).map((query) => range(3).map((key) => key === 0 || query === key || (layer === 0 && query === 2)))),
    );
    const unread = await screen({ ...BASE, roles: ['start', 'content', 'ask'], reads: blind });
    // What is computed anew sums over clean keys and those of branches apart.
    const bits = { relative: 0, absolute: 1e-6 };
    // Content is read by nobody but content after the first layer, so its z there goes nowhere.
    for (const layer of [1, 2])
      for (const head of range(4)) expectClose(at(unread, layer, head), metricOf(unread, 'difference'), bits, `L${layer}H${head}`);
    const where = metricOf(unread, 'difference', named(0, 0, LENGTH - 1));
    expect(() => expectClose(where, metricOf(unread, 'difference'), bits, 'where it is read')).toThrow();
    const silent = await screen({
      ...BASE,
      roles: ['start', 'content', 'ask'],
      writes: range(3).map((layer) => ({ attention: [true, layer !== 1, true], mlp: [true, true, true] })),
    });
    const clean = metricOf(silent, 'difference');
    for (const head of range(4)) expectClose(at(silent, 1, head), clean, bits, `L1H${head} may not write`);
    expect(() => expectClose(at(silent, 0, 0), clean, bits, 'L0H0 may')).toThrow();
  });
});

test('prompts without the roles that a model asks for', async () => {
  const config: TransformerConfig = { ...BASE, ...options['read masks'] };
  const runner = new PlannedRunner(onnx, { config, parameters: randomWeights(config, new Random(3)) });
  const { roles: _roles, ...without } = pairsFor(config, 0, PAIRS);
  await expect(runner.run(without, 'sensitive', screened(config))).rejects.toThrow(
    /pairs: roles must be one for each of 8 positions: the model masks by role, got undefined/,
  );
  runner.dispose();
});
