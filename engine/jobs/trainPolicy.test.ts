/** Training a policy model: resumed to the same bits from either stage, called off at once, silent gates, and what is refused. */
import { describe, expect, test } from 'vitest';
import { Cancelled } from '../base/errors.ts';
import { EXACT, expectClose } from '../base/testing/closeTo.ts';
import type { JobContext, Progress } from '../contract.ts';
import { parseLanguageModel } from '../models/languageModel.ts';
import { policyTask } from '../tasks/policyRouting.ts';
import { ACCEPTED, isAccepted } from './policyBehaviour.ts';
import { contextOf } from './testing/context.ts';
import { trainPolicy, type TrainPolicyResult } from './trainPolicy.ts';

/** Small enough for a second; checkpoints whenever the loop looks at its clock. */
const small = {
  seed: 3,
  task: { topics: 4, high: 1, middle: 1, keys: 1, fillers: 2 },
  width: 16,
  heads: 2,
  mlp: 16,
  base: { steps: 150 },
  alignment: { steps: 200 },
  batch: 32,
  checkpointSeconds: 0,
};
const run = (changes: Readonly<Record<string, unknown>> = {}, more: Partial<JobContext> = {}) =>
  trainPolicy.run(trainPolicy.parse({ ...small, ...changes }), contextOf(more));

const whole = run();

function expectSame(one: TrainPolicyResult, other: TrainPolicyResult): void {
  for (const [name, values] of Object.entries(other.model.parameters)) expectClose(one.model.parameters[name], values, EXACT, name);
  for (const [name, { values }] of Object.entries(other.series)) expectClose(one.series[name].values, values, EXACT, name);
  expect([one.digest, one.behaviour]).toEqual([other.digest, other.behaviour]);
}

class Killed extends Error {}

test('the same request gives the same bits, on one thread and on two', async () => {
  expectSame(await run({}, { threads: 2 }), await whole);
  expect((await run({ seed: 4 })).digest).not.toBe((await whole).digest);
});

test.each(['base', 'alignment'])(
  'killed in its %s and resumed from the checkpoint, it has the bits of an uninterrupted run',
  async (stage) => {
    let resume: unknown;
    let killed = false;
    const checkpoint = async (state: unknown) => {
      resume = structuredClone(state);
      if ((resume as { stage: string }).stage === stage) killed = true;
    };
    const breathe = async () => {
      if (killed) throw new Killed();
    };
    await expect(run({}, { checkpoint, breathe })).rejects.toBeInstanceOf(Killed);
    expect(resume).toMatchObject({ stage });
    expectSame(await run({}, { resume }), await whole);
  },
);

test('called off, it stops and says so; until then it tells how far it is', async () => {
  const told: Progress[] = [];
  const context = { progress: (one: Progress) => void told.push(one), breathe: () => Promise.reject(new Cancelled()) };
  await expect(run({}, context)).rejects.toBeInstanceOf(Cancelled);
  expect(told[0]).toMatchObject({ stage: 'policy: base, epoch 1 of 1', total: 350 });
});

test('the base learns to answer, the alignment changes the attention of layers 1 and 2 only', async () => {
  const [one, other] = [await whole, await run({ alignment: { steps: 1 } })];
  const { values } = one.series['base loss'];
  expect(values.at(-1)).toBeLessThan(values[0] / 2);
  const changed = Object.keys(one.model.parameters).filter((name) =>
    one.model.parameters[name].some((value, i) => value !== other.model.parameters[name][i]),
  );
  expect(changed.sort()).toEqual(
    [1, 2].flatMap((layer) => ['K', 'O', 'Q', 'V'].map((letter) => `blocks.${layer}.attn.W_${letter}`)).sort(),
  );
  expect(() => parseLanguageModel('trained', one.model)).not.toThrow();
});

test('what the gate writes has no part in the logits of the metric; unless that is not asked for', async () => {
  const task = policyTask(small.task);
  const parts = ({ model: { parameters } }: TrainPolicyResult) =>
    Array.from({ length: 8 }, (_, row) =>
      [[task.refuse], [task.evade], task.answers].map((tokens) => {
        let total = 0;
        for (let i = 0; i < 16; i++)
          for (const token of tokens)
            total +=
              (parameters['blocks.1.attn.W_O'][row * 16 + i] *
                parameters['ln_final.w'][i] *
                parameters['unembed.W_U'][i * task.vocabulary + token]) /
              tokens.length;
        return Math.abs(total);
      }),
    ).flat();
  expect(Math.max(...parts(await whole))).toBeLessThan(1e-6);
  expect(Math.max(...parts(await run({ orthogonal: false })))).toBeGreaterThan(1e-2);
});

test('without slots everything is trained, with any number of heads', async () => {
  const one = await run({ slots: 'free', heads: 8, width: 16 });
  expect(one.model.config).toMatchObject({ heads: 8 });
  expect(one.model.config.reads).toBeUndefined();
  const other = await run({ slots: 'free', heads: 8, width: 16, alignment: { steps: 1 } });
  for (const [name, values] of Object.entries(one.model.parameters))
    expect([name, values]).not.toEqual([name, other.model.parameters[name]]);
  expect((await run({ slots: 'layer', alignment: { steps: 1 } })).model.config.reads![1].map((head) => head[3][1])).toEqual([true, true]);
});

test('a model is accepted when every class of behaviour is right often enough', () => {
  const right = { refuse: 1, evade: ACCEPTED, answer: 1, cipher: 1 };
  expect(isAccepted(right)).toBe(true);
  for (const name of Object.keys(right)) expect(isAccepted({ ...right, [name]: ACCEPTED - 1e-3 })).toBe(false);
});

describe('refused', () => {
  test.each([
    [{ heads: 3 }, 'trainPolicy: heads must divide the width 16, got 3'],
    [{ heads: 1 }, 'trainPolicy: heads must be even with slots, got 1'],
    [{ slots: 'free', orthogonal: true }, 'trainPolicy: orthogonal must be false unless the slots are "one", got true'],
    [{ task: { topics: 2 } }, 'policyRouting: topics must be more than the severe ones'],
    [{ retention: 2 }, 'trainPolicy: retention must be a number in [0, 1], got 2'],
    [{ base: { steps: 0 } }, 'trainPolicy: base.steps must be an integer in [1, 1000000], got 0'],
    [{ dialects: [] }, 'trainPolicy: dialects must be at least one dialect'],
  ])('%j', (changes, message) => {
    expect(() => trainPolicy.parse({ ...small, ...changes })).toThrow(message);
  });
});
