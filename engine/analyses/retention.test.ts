/** Retention against counting in double precision, and the base against its own bits. */
import { afterAll, expect, test } from 'vitest';
import { EXACT, expectClose } from '../base/testing/closeTo.ts';
import type { Executor } from '../execute/executor.ts';
import { OnnxRuntimeExecutor } from '../execute/onnxruntime.ts';
import { adapterOf } from '../models/adapters/index.ts';
import { retention } from './retention.ts';
import { analysisContext, labelled, smallImages } from './testing/models.ts';
import { rightOf } from './testing/reference.ts';

const executor = new OnnxRuntimeExecutor();
afterAll(() => executor.dispose());

const models = ['dopamine', 'lora-r2', 'full'].map((adapter, i) => labelled(adapter, { adapter, seed: i + 1 }));
const options = { oldAngle: 0, newAngle: 45, form: 'hard', part: 'test' } as const;

test('accuracy kept and gained, and the base bit for bit', async () => {
  const { measures, facts } = await retention.run({ models, seed: 0, options }, analysisContext(executor));
  const accuracy = (angle: number, base = false) =>
    models.map(({ model }) => {
      const form = base ? 'base' : adapterOf(model.adapter!.id).gated ? 'hard' : 'soft';
      return (100 * rightOf(model, form, smallImages('test', angle), angle)) / 620;
    });
  const [old, oldBase, new_, newBase] = [accuracy(0), accuracy(0, true), accuracy(45), accuracy(45, true)];
  expectClose(measures.old.data, old, EXACT, 'old');
  expectClose(measures.new.data, new_, EXACT, 'new');
  expectClose(measures.oldBase.data, oldBase, EXACT, 'oldBase');
  expectClose(measures.newBase.data, newBase, EXACT, 'newBase');
  expectClose(
    measures.loss.data,
    oldBase.map((value, i) => value - old[i]),
    { relative: 0, absolute: 1e-12 },
    'loss',
  );
  expectClose(
    measures.gain.data,
    new_.map((value, i) => value - newBase[i]),
    { relative: 0, absolute: 1e-12 },
    'gain',
  );
  expect([...measures.restored.data]).toEqual([1, 1, 1]);
  expect(new Set(measures.loss.data).size).toBe(3);
  expect(facts).toMatchObject({ angles: '0°, 45°', images: 620, form: 'hard; models without gates have one form' });
});

test('a mode that leaves one bit of the base changed is found', async () => {
  // Runs as it should, but writes a weight of the base once the mode has run.
  const careless: Executor = {
    name: executor.name,
    dispose: () => undefined,
    compile(program) {
      const executable = executor.compile(program);
      const gated = program.inputs.has('layers.0.gate.threshold');
      return {
        dispose: () => executable.dispose(),
        run(feeds) {
          const results = executable.run(feeds);
          if (gated) feeds['layers.2.bias'].data[0] += 0.001;
          return results;
        },
      };
    },
  };
  const { measures } = await retention.run(
    { models: [labelled('dopamine', { adapter: 'dopamine' })], seed: 0, options },
    analysisContext(careless),
  );
  expect([...measures.restored.data]).toEqual([0]);
});
