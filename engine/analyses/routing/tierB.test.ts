/** Trained policy models, where which heads can carry the route is known: the gate first, what cannot matter exactly 0 (methods.md §1.7, tier B). */
import { afterAll, describe, expect, test } from 'vitest';
import { expectClose } from '../../base/testing/closeTo.ts';
import { OnnxRuntimeExecutor } from '../../execute/onnxruntime.ts';
import { directLogitAttribution } from './directLogitAttribution.ts';
import { gateIdentification } from './gateIdentification.ts';
import { headAblation } from './headAblation.ts';
import { headInterchange } from './headInterchange.ts';
import { knockoutCascade } from './knockoutCascade.ts';
import { bands } from './bands.ts';
import { policyFixtures } from './testing/policyFixtures.ts';
import { analyse, at } from './testing/subjects.ts';

const onnx = new OnnxRuntimeExecutor({ cacheBytes: 0 });
afterAll(() => onnx.dispose());

const fixtures = policyFixtures(80);
/** ASK sees no content in the first layer, and by one head only in the second. */
const IMPOSSIBLE = [0, 1, 2, 3].map((head) => ({ layer: 0, head })).concat([1, 2, 3].map((head) => ({ layer: 1, head })));

test('two trained policy models ship', () => {
  expect(fixtures.length).toBeGreaterThanOrEqual(2);
});

describe.each(fixtures.map((fixture) => [fixture.name, fixture] as const))('%s', (_name, { model, pairs }) => {
  test('the gate is found first among 16 heads, at the floor of p, and is silent in direct effects', async () => {
    const { facts } = await analyse(gateIdentification, onnx, { model, pairs }, { draws: 100 });
    expect(facts.gate).toBe('L1H0');
    expect(facts['gate.necessity']).toBeGreaterThanOrEqual(0.85);
    expect(facts['gate.sufficiency']).toBeGreaterThanOrEqual(0.9);
    expect(facts['gate.p']).toBeCloseTo(1 / 10_001, 12);
    expect(facts['gate.lift']).toBeLessThan(0.01);
  });

  test('heads that cannot matter do nothing, and are never found', async () => {
    const findings = await analyse(headInterchange, onnx, { model, pairs }, { positions: ['read'] });
    for (const name of ['necessity', 'sufficiency'])
      for (const place of IMPOSSIBLE) {
        expectClose(at(findings, name, place), [0], { relative: 0, absolute: 1e-6 }, `${name} of L${place.layer}H${place.head}`);
        expect(at(findings, `${name}P`, place)).toEqual([1]);
      }
    expect(at(findings, 'flip', { layer: 1, head: 0 })[0]).toBeGreaterThan(0.9);
  });

  test('amplifiers fall by at least 70 % when the gate is noised, and other heads of its layer do not make them', async () => {
    const findings = await analyse(knockoutCascade, onnx, { model, pairs }, { positions: 'read' });
    const targets = String(findings.facts.targets)
      .split(', ')
      .filter((label) => label.startsWith('L2'));
    expect(targets.length).toBeGreaterThan(0);
    for (const target of targets) {
      const where = { knockout: 'noised', source: 'L1H0', target };
      const [delta] = at(findings, 'delta', { target });
      const [change] = at(findings, 'change', where);
      expect([target, delta > 0 ? change <= -0.7 : change >= 0.7]).toEqual([target, true]);
    }
    expect(at(findings, 'nullP', { knockout: 'noised' })).toEqual([1 / 4]);
  });

  test('direct effects are complete, and ablation says what it does to both members', async () => {
    const direct = await analyse(directLogitAttribution, onnx, { model, pairs });
    expect(direct.facts.incompleteness as number).toBeLessThan(1e-3 * Math.abs(direct.facts.gap as number));
    const ablated = await analyse(headAblation, onnx, { model, pairs }, { ablations: ['zero'], positions: 'read' });
    // No size is promised: some models refuse by default, and zeroing their gate changes nothing in x⁺.
    for (const member of ['sensitive', 'control']) {
      const [effect] = at(ablated, member, { layer: 1, head: 0 });
      expect(Number.isFinite(effect)).toBe(true);
      const shares = at(ablated, 'outcomes', { ablation: 'zero', member, layer: 1, head: 0 });
      expectClose([shares.reduce((sum, share) => sum + share, 0)], [1], { relative: 0, absolute: 1e-12 }, 'outcomes');
    }
  });

  test('amplifiers are redundant: together they are needed far more than the best of them', async () => {
    const findings = await analyse(bands, onnx, { model, pairs });
    const layer = { band: 'L2 all' };
    expect(at(findings, 'necessity', layer)[0]).toBeGreaterThan(1.5 * at(findings, 'necessityBest', layer)[0]);
  });
});
