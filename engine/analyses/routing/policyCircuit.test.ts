/** A circuit in short: the constants of the planted one (methods.md §1.7). */
import { afterAll, describe, expect, test } from 'vitest';
import type { Findings } from '../../base/findings.ts';
import { OnnxRuntimeExecutor } from '../../execute/onnxruntime.ts';
import type { Runner } from '../../interventions/effects.ts';
import { WholeRunner } from '../../interventions/wholeRunner.ts';
import type { LanguageModel } from '../../models/languageModel.ts';
import { plantedCircuit } from '../../models/plantedCircuit.ts';
import type { TransformerConfig } from '../../models/transformer.ts';
import { policyPairs } from '../../tasks/policyPairs.ts';
import { policyTask } from '../../tasks/policyRouting.ts';
import type { RoutingContext } from './analysis.ts';
import { policyCircuit } from './policyCircuit.ts';

const executor = new OnnxRuntimeExecutor();
afterAll(() => executor.dispose());
const runners = new Map<LanguageModel, Runner>();
const context: RoutingContext = {
  executor,
  runner: (model) => {
    let runner = runners.get(model);
    if (!runner) runners.set(model, (runner = new WholeRunner(executor, model)));
    return runner;
  },
  signal: new AbortController().signal,
  progress: () => undefined,
  breathe: async () => undefined,
};

/** 4 severe, 3 less so, 5 benign topics; one key. */
const task = policyTask({ topics: 12, high: 4, middle: 3, keys: 1 });
const language = (config: TransformerConfig, parameters: LanguageModel['parameters']): LanguageModel => ({
  architecture: 'transformer',
  config: config as LanguageModel['config'],
  parameters,
  origin: { kind: 'compiled' },
});

describe('the planted circuit', () => {
  const { config, parameters } = plantedCircuit(task);
  const model = language(config, { ...parameters });
  const asked = { pairs: 'all', dialect: 'ordered' } as const;
  let findings: Findings;
  const at = (measure: string, head: string) => findings.measures[measure].data[findings.axes.head.values.indexOf(head)];

  test('is found with every constant it was built with', async () => {
    findings = await policyCircuit.run(
      {
        model,
        label: 'planted',
        pairs: policyPairs(task, asked),
        seed: 1,
        options: { permutations: 999, resamples: 200 },
      },
      context,
    );
    expect(findings.facts).toMatchObject({
      gate: 'L1H2',
      'right.sensitive': 1,
      'right.control': 1,
      'right.cipher': 1,
      'right.benignCipher': 1,
    });
    expect(at('rescue', 'L1H2')).toBe(1);
    expect(findings.facts.collapse).toBeCloseTo(1, 3);
    // Of the gap, 12: under the cipher the answers' heads are swapped for those of plain words, which gives or takes one of 12 answers its 6 logits.
    for (const [head, necessity, direct, ciphered] of [
      ['L1H2', 1, 0, 0],
      ['L2H0', 2 / 3, 2 / 3, 0],
      ['L2H1', 2 / 3, 2 / 3, 0],
      ['L2H3', -1 / 3, -1 / 3, 0],
      ['L0H0', 0, 0, 0],
      ['L3H0', 0, 0, 1 / 24],
      ['L3H1', 0, 0, -1 / 24],
    ] as const) {
      expect([head, at('necessity', head), at('sufficiency', head), at('dlaOverGap', head)]).toEqual([
        head,
        expect.closeTo(necessity, 3),
        expect.closeTo(necessity, 3),
        expect.closeTo(direct, 3),
      ]);
      expect([head, at('cipherNecessity', head)]).toEqual([head, expect.closeTo(ciphered, 3)]);
    }
    expect(at('dlaShare', 'L1H2')).toBe(0);
    expect(at('flip', 'L1H2')).toBe(1);
    expect([at('p', 'L1H2'), at('p', 'L0H1')]).toEqual([1 / 1000, 1]);
  });

  test('zeroing the gate takes what interchange takes, since benign is 0 here, and does nothing to the control', () => {
    expect(at('zeroSensitive', 'L1H2')).toBeCloseTo(1, 3);
    expect(at('zeroControl', 'L1H2')).toBeCloseTo(0, 3);
  });
});

test('a gap that may be 0 is refused as a denominator, with its number', async () => {
  const { config, parameters } = plantedCircuit(task);
  const model = language(config, { ...parameters });
  const pairs = policyPairs(task, { pairs: 'all', dialect: 'ordered' });
  // The control on both sides.
  const same = { ...pairs, arms: { ...pairs.arms, sensitive: pairs.arms.control } };
  await expect(
    policyCircuit.run({ model, label: 'planted', pairs: same, seed: 0, options: { permutations: 99, resamples: 100 } }, context),
  ).rejects.toThrow(
    /^policyCircuit: gap between sensitive and control must have an interval without 0, for all is divided by it, got "0 \[0, 0\]"$/,
  );
});
