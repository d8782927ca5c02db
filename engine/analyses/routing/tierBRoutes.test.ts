/** Trained policy models: when the route is committed, how far it collapses under the cipher, where the gate is heard (methods.md §1.7, tier B). */
import { afterAll, describe, expect, test } from 'vitest';
import { OnnxRuntimeExecutor } from '../../execute/onnxruntime.ts';
import { cipherContrast } from './cipherContrast.ts';
import { cipherInterchange } from './cipherInterchange.ts';
import { commitment } from './commitment.ts';
import { gateDose } from './gateDose.ts';
import { levels } from './levels.ts';
import { pathPatchingEdges } from './pathPatchingEdges.ts';
import { rescue } from './rescue.ts';
import { policyFixtures } from './testing/policyFixtures.ts';
import { analyse, at } from './testing/subjects.ts';

const onnx = new OnnxRuntimeExecutor({ cacheBytes: 0 });
afterAll(() => onnx.dispose());

const fixtures = policyFixtures(120);

describe.each(fixtures.map((fixture) => [fixture.name, fixture] as const))('%s', (_name, { model, pairs }) => {
  const gate = 'L1H0';

  test('the route is committed after layer 1 of 4, the answer in the last', async () => {
    const findings = await analyse(commitment, onnx, { model, pairs });
    expect(findings.facts).toMatchObject({ 'commit.route': 2, 'commit.content': 4, earlyCommitment: 0.5 });
    // Nothing of either can be at ASK before the bridge.
    for (const done of [0, 1]) expect(Math.abs(at(findings, 'routeNoising', { layersDone: done })[0])).toBeLessThan(1e-6);
    expect(at(findings, 'routeNoising', { layersDone: 4 })[0]).toBeCloseTo(1, 5);
  });

  test('under the cipher the gate is not needed', async () => {
    const { facts } = await analyse(cipherInterchange, onnx, { model, pairs }, { gate });
    expect(facts['gate.collapse']).toBeGreaterThanOrEqual(0.9);
  });

  test('a benign donor rescues nothing, the layer that the gate drives everything it can', async () => {
    const findings = await analyse(rescue, onnx, { model, pairs }, { gate });
    const of = (condition: string) => at(findings, 'refused', { condition })[0];
    expect([of('none'), of('benign donor')]).toEqual([0, 0]);
    expect(of('random head')).toBeLessThan(0.05);
    expect(of('gate + next layer')).toBeGreaterThanOrEqual(of('gate'));
    expect(of('gate + next layer')).toBeGreaterThan(0.5);
  });

  test('the contrast of its own layer finds the gate, which that of the output does not see', async () => {
    const { facts } = await analyse(cipherContrast, onnx, { model, pairs }, { gate });
    // The strongest amplifier of the next layer is silenced too, so it may come before the gate in one of the two; no head of the gate's layer does.
    expect(facts).toMatchObject({ 'gate.localContrast.rankInLayer': 1, 'gate.localDifference.rankInLayer': 1 });
    const ranks = ['gate.localContrast.rank', 'gate.localDifference.rank'].map((name) => facts[name] as number);
    expect([Math.min(...ranks), Math.max(...ranks) <= 3]).toEqual([1, true]);
    expect(facts['gate.finalContrast.rank'] as number).toBeGreaterThan(8);
    expect(Math.abs(facts['gate.finalContrast'] as number)).toBeLessThan(0.01 * (facts.gap as number));
    const heard = await analyse(levels, onnx, { model, pairs }, { gate });
    expect(heard.facts['gate.rank']).toBe(1);
    expect(heard.facts['gate.outputRank'] as number).toBeGreaterThan(8);
  });

  test('readers together pass on more than any of them alone', async () => {
    const findings = await analyse(pathPatchingEdges, onnx, { model, pairs }, { gate, split: false });
    const of = (receiver: string) => at(findings, 'necessity', { receiver, part: 'all' })[0];
    const single = Math.max(...['L2H0', 'L2H1', 'L2H2', 'L2H3'].map(of));
    expect(of('L2')).toBeGreaterThan(single);
    expect(of('readers')).toBeGreaterThan(0.5);
  });

  test('refusals come with the dose of the gate', async () => {
    const findings = await analyse(gateDose, onnx, { model, pairs }, { gate, doses: [0, 0.5, 1], refinements: 3 });
    const refused = (dose: number) => at(findings, 'outcomes', { condition: 'sensitive', topic: 'all', dose, outcome: 'REFUSE' })[0];
    expect(refused(0)).toBeLessThan(0.2);
    expect(refused(1)).toBeGreaterThan(0.98);
  });
});
