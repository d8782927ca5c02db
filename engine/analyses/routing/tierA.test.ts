/** The planted circuit, whose truth is known: every constant of methods.md §1.7 by every analysis that claims it. */
import { afterAll, describe, expect, test } from 'vitest';
import type { Findings } from '../../base/findings.ts';
import { expectClose } from '../../base/testing/closeTo.ts';
import { OnnxRuntimeExecutor } from '../../execute/onnxruntime.ts';
import type { PlantedOptions } from '../../models/plantedCircuit.ts';
import { attributionPatching } from './attributionPatching.ts';
import { bands } from './bands.ts';
import { directLogitAttribution } from './directLogitAttribution.ts';
import { edgeAttributionPatching } from './edgeAttributionPatching.ts';
import { gateIdentification } from './gateIdentification.ts';
import { headAblation } from './headAblation.ts';
import { headInterchange } from './headInterchange.ts';
import { knockoutCascade } from './knockoutCascade.ts';
import { relocation } from './relocation.ts';
import { WholeRunner } from '../../interventions/wholeRunner.ts';
import { analyse, at, planted, plantedPairs } from './testing/subjects.ts';

const onnx = new OnnxRuntimeExecutor({ cacheBytes: 0 });
afterAll(() => onnx.dispose());

const pairs = plantedPairs();
/** 16 heads, layer by layer: the truth of necessity, sufficiency; of the direct effect but for the gate. */
const AMPLIFIERS = [0, 0, 0, 0, 0, 0, 0, 0, 2 / 3, 2 / 3, 0, -1 / 3, 0, 0, 0, 0];
const EFFECTS = AMPLIFIERS.map((value, head) => (head === 6 ? 1 : value));
const CLOSE = { relative: 0, absolute: 1e-3 };
const NOTHING = { relative: 0, absolute: 1e-6 };
const ask = (analysis: Parameters<typeof analyse>[0], options: object = {}, planting: PlantedOptions = {}) =>
  analyse(analysis, onnx, { model: planted(planting).model, pairs }, options as never);
/** Heads that cannot do anything are 0 to the bit where it says so, and never found. */
const expectEffects = (found: readonly number[], expected: readonly number[], what: string) => {
  expectClose(found, expected, CLOSE, what);
  expectClose(
    found.filter((_value, head) => expected[head] === 0),
    expected.filter((value) => value === 0),
    NOTHING,
    `${what}: heads without an effect`,
  );
};

describe('direct logit attribution', () => {
  test('the gate is silent, an amplifier writes two thirds, the counter head takes a third away', async () => {
    const findings = await ask(directLogitAttribution);
    expectEffects(at(findings, 'direct'), AMPLIFIERS, 'direct effects of heads');
    expectClose(
      at(findings, 'directShare'),
      AMPLIFIERS.map((value) => (Math.abs(value) * 3) / 5),
      CLOSE,
      'shares',
    );
    expectClose(at(findings, 'directShare', { layer: 1, head: 2 }), [0], NOTHING, 'share of the gate');
    const components = findings.axes.component.values.length;
    expectClose(at(findings, 'directLift', { layer: 2, head: 0 }), [0.4 * components], CLOSE, 'lift');
    expectClose([at(findings, 'component').reduce((sum, value) => sum + value, 0)], [1], CLOSE, 'all components');
    expect(findings.facts.incompleteness).toBeLessThan(1e-3);
    expect(findings.facts.gap).toBeCloseTo(12, 3);
  });
});

describe('interchange', () => {
  const found = ask(headInterchange, { mlps: true });

  test('at the position that is read, and at all of them: the gate alone carries the route', async () => {
    for (const name of ['necessity', 'sufficiency']) {
      expectEffects(at(await found, name, { positions: 'read' }), EFFECTS, `${name} where it is read`);
      // What the mover writes is read by the first MLP at the topic's position, which is not the same there in x⁻.
      const all = at(await found, name, { positions: 'all' });
      expectClose(all.slice(4), EFFECTS.slice(4), CLOSE, `${name} everywhere`);
      expectClose(
        at(await found, name, { positions: 'content' }).slice(4),
        new Array<number>(12).fill(0),
        NOTHING,
        `${name} at the content`,
      );
    }
    expectClose(at(await found, 'elsewhere'), new Array<number>(16).fill(0), CLOSE, 'read against all');
    expect((await found).facts['flagged heads']).toBe('none');
  });

  test('every answer flips with the gate, both ways, and p is at its floor; a head that cannot matter has p = 1', async () => {
    expect(at(await found, 'flip', { positions: 'read', layer: 1, head: 2 })).toEqual([1]);
    expect(at(await found, 'reverseFlip', { positions: 'read', layer: 1, head: 2 })).toEqual([1]);
    const p = at(await found, 'necessityP', { positions: 'read' });
    expect(p[6]).toBeCloseTo(1 / 10_001, 12);
    EFFECTS.forEach((effect, head) => {
      if (effect === 0) expect([head, p[head]]).toEqual([head, 1]);
    });
    for (const amplifier of [8, 9]) expect(p[amplifier]).toBeLessThan(0.01);
  });

  test('the MLP that detects is necessary at the topic, and only there', async () => {
    expectClose(at(await found, 'mlpNecessity', { positions: 'content' }), [1, 0, 0, 0], CLOSE, 'MLPs at the content');
    expectClose(at(await found, 'mlpNecessity', { positions: 'read' }), [0, 0, 0, 0], NOTHING, 'MLPs where it is read');
  });
});

describe('ablation', () => {
  test('zeroing the gate is what a closed gate is: x⁺ is answered, x⁻ stays', async () => {
    const findings = await ask(headAblation, { positions: 'read' });
    const zero = { ablation: 'zero' };
    expectEffects(at(findings, 'sensitive', zero).slice(0, 12), EFFECTS.slice(0, 12), 'x⁺ zeroed');
    expectEffects(at(findings, 'control', zero).slice(0, 12), new Array<number>(12).fill(0), 'x⁻ zeroed');
    const gate = { ...zero, layer: 1, head: 2 };
    expect(at(findings, 'outcomes', { ...gate, member: 'sensitive' })).toEqual([0, 0, 1, 0]);
    expect(at(findings, 'outcomes', { ...gate, member: 'control' })).toEqual([0, 0, 1, 0]);
    expect(at(findings, 'baseOutcomes')).toEqual([1, 0, 0, 0, 0, 0, 1, 0]);
    // It attends to the topic at ASK, not to the first position; heads without weights attend everywhere alike.
    expectClose(at(findings, 'sinkMass', { layer: 1 }).slice(0, 4), [1 / 8, 1 / 8, 0, 1 / 8], CLOSE, 'sink mass');
  });

  test('the mean over the corpus is half-way, which is below the switch; a direction is all that the gate writes', async () => {
    const findings = await ask(headAblation, { positions: 'read', ablations: ['mean', 'direction'] });
    // Half the corpus has severity 2, half 0: the gate is at 1, where evading begins and refusing has not.
    const refusing = (gate: number) => 1 / (1 + Math.exp(-20 * (gate - (1.5 + 1e-4 - Math.log(2) / 20))));
    const mean = { ablation: 'mean', layer: 1, head: 2 };
    expectClose(at(findings, 'sensitive', mean), [1 - refusing(1)], CLOSE, 'x⁺ at the mean');
    expectClose(at(findings, 'control', mean), [refusing(1)], CLOSE, 'x⁻ at the mean');
    expect(at(findings, 'outcomes', { ...mean, member: 'sensitive' })).toEqual([0, 1, 0, 0]);
    expect(at(findings, 'outcomes', { ...mean, member: 'control' })).toEqual([0, 1, 0, 0]);
    expectClose(at(findings, 'sensitive', { ...mean, ablation: 'direction' }), [1], CLOSE, 'x⁺ without the direction');
    expect(at(findings, 'sensitiveState', { ablation: 'direction', layer: 0, head: 3 })).toEqual([2]);
  });

  test('a sink: zeroing finds a quarter of the gap on both members, mean and interchange nothing', async () => {
    const findings = await ask(headAblation, { ablations: ['zero', 'mean', 'resample'] }, { sinkBias: 3 });
    const sink = { layer: 1, head: 0 };
    expectClose(at(findings, 'sensitive', sink), [0.25, 0, 0], { relative: 0, absolute: 1e-4 }, 'x⁺');
    expectClose(at(findings, 'control', sink), [-0.25, 0, 0], { relative: 0, absolute: 1e-4 }, 'x⁻');
    expectClose(at(findings, 'sinkMass', sink), [1, 1], CLOSE, 'attention on the first position');
  });
});

test('the cascade: without the gate every amplifier is gone, and no other head of its layer changes any', async () => {
  const findings = await ask(knockoutCascade);
  expect(findings.facts).toMatchObject({ gate: 'L1H2', targets: 'L2H0, L2H1, L2H3' });
  for (const knockout of ['zero', 'noised']) {
    const gate = at(findings, 'change', { knockout, source: 'L1H2' }).slice(0, 4);
    expectClose(gate, [-1, -1, NaN, 1], CLOSE, `${knockout}: changes`);
    for (const source of ['L1H0', 'L1H1', 'L1H3'])
      expectClose(at(findings, 'change', { knockout, source }).slice(0, 4), [0, 0, NaN, 0], NOTHING, `${knockout} of ${source}`);
    expect(at(findings, 'nullP', { knockout })).toEqual([1 / 4]);
    // Levels: x⁺ is then what x⁻ is, not the other way round.
    expectClose(at(findings, 'level', { knockout, source: 'L1H2', target: 'L2H0' }), [0, 0], CLOSE, 'levels');
  }
});

describe('bands', () => {
  test('amplifiers together do more than any, with the counter head less', async () => {
    const findings = await ask(bands);
    const of = (name: string, band: string) => at(findings, name, { band });
    expectClose(
      [of('necessity', 'L2 pro'), of('necessity', 'L2 all'), of('necessity', 'L2 counter')].flat(),
      [4 / 3, 1, -1 / 3],
      CLOSE,
      'bands',
    );
    expectClose([of('necessityRatio', 'L2 pro'), of('necessityRatio', 'L2 all')].flat(), [2, 1.5], CLOSE, 'against the best single head');
    expectClose(of('sufficiency', 'all'), [1], CLOSE, 'all heads');
    expect(of('size', 'L2 pro')).toEqual([2]);
  });

  test('a gate spread over three heads: each needed, none enough, which only the set shows', async () => {
    const findings = await ask(bands, {}, { gate: 'band' });
    const gate = { band: 'L1 all' };
    expectClose([...at(findings, 'necessity', gate), ...at(findings, 'sufficiency', gate)], [1, 1], CLOSE, 'joint');
    expectClose(at(findings, 'sufficiencyBest', gate), [0], CLOSE, 'best single head');
  });

  test('two gates either of which suffices: none is needed, both are', async () => {
    const findings = await ask(bands, {}, { gate: 'duplicate' });
    expectClose(at(findings, 'necessity', { band: 'L1 all' }), [1], CLOSE, 'joint');
    expectClose(at(findings, 'necessityBest', { band: 'L1 all' }), [0], CLOSE, 'one at a time');
    expect(at(findings, 'necessityRatio', { band: 'L1 all' })).toEqual([NaN]);
  });
});

test('the gate is identified, silent and sure, wherever it was planted', async () => {
  for (const [planting, gate] of [
    [{}, 'L1H2'],
    [{ mover: 1, gateLayer: 3, amplifierLayer: 4, layers: 7 }, 'L3H2'],
  ] as const) {
    const findings: Findings = await ask(gateIdentification, { draws: 50 }, planting);
    expect(findings.facts).toMatchObject({ gate, 'gate.preferred': true });
    expect(findings.facts['gate.p']).toBeCloseTo(1 / 10_001, 12);
    expectClose(
      ['gate.necessity', 'gate.sufficiency', 'gate.lift', 'lead'].map((name) => findings.facts[name] as number),
      [1, 1, 0, 2 / 3],
      CLOSE,
      gate,
    );
    expect(at(findings, 'winnerChanges')).toEqual(at(findings, 'winnerChanges').map(() => 0));
  }
  // Of the last layer no head is a candidate, however much it does.
  const findings = await ask(gateIdentification, { draws: 1 });
  expect(at(findings, 'candidate', { layer: 3 })).toEqual([0, 0, 0, 0]);
});

test('relocation: another place, the same behaviour', async () => {
  const models = [planted(), planted({ mover: 1, gateLayer: 3, amplifierLayer: 4, layers: 7 })].map(({ model }) => model);
  const runners = new Map(models.map((model) => [model, new WholeRunner(onnx, model)]));
  const [first, second] = models.map((model, i) => ({ label: `model ${i}`, model, pairs }));
  const findings = await relocation.run(
    { ...first, others: [second], seed: 1, options: { top: 3 } },
    {
      executor: onnx,
      runner: (model) => runners.get(model)!,
      signal: new AbortController().signal,
      progress: () => undefined,
      breathe: async () => undefined,
    },
  );
  runners.forEach((runner) => runner.dispose());
  expect([at(findings, 'gateLayer'), at(findings, 'gateHead')]).toEqual([
    [1, 3],
    [2, 2],
  ]);
  expectClose(at(findings, 'relativeDepth'), [1 / 3, 1 / 2], CLOSE, 'depth');
  expect(at(findings, 'sameGate')).toEqual([1, 0, 0, 1]);
  expect(at(findings, 'sameBehaviour')).toEqual([1, 1, 1, 1]);
  expect(at(findings, 'jaccard')).toEqual([1, 0, 0, 1]);
});

describe('gradients', () => {
  test('a switch that is shut or open has no slope: the gate is missed to first order, found along the way, and amplifiers are exact', async () => {
    const findings = await ask(attributionPatching, { steps: 200 });
    expectEffects(at(findings, 'exact'), EFFECTS, 'exact');
    const open = 1 / (1 + Math.exp(-20 * (2 - (1.5 + 1e-4 - Math.log(2) / 20))));
    const slope = 20 * open * (1 - open);
    const gate = { layer: 1, head: 2 };
    expectClose(at(findings, 'estimate', { method: 'gradient', ...gate }), [2 * slope], { relative: 0, absolute: 1e-5 }, 'gate, gradient');
    for (const method of ['activations', 'inputs'])
      expectClose(at(findings, 'estimate', { method, ...gate }), [1], CLOSE, `gate, ${method}`);
    for (const method of ['gradient', 'activations'])
      expectClose(at(findings, 'estimate', { method, layer: 2 }), AMPLIFIERS.slice(8, 12), CLOSE, `amplifiers, ${method}`);
    const [gradient, activations] = at(findings, 'agreement');
    expect(activations).toBeGreaterThan(gradient);
  });

  test('edges: amplifiers write to the logits and to nobody else', async () => {
    const findings = await ask(edgeAttributionPatching, { steps: 1, exact: 12 });
    for (const [sender, share] of [
      ['L2H0', 2 / 3],
      ['L2H3', -1 / 3],
    ] as const) {
      expectClose(at(findings, 'estimate', { method: 'gradient', sender, reader: 'logits' }), [share], CLOSE, `${sender} by gradient`);
      expectClose(at(findings, 'exact', { sender, reader: 'logits' }), [share], CLOSE, `${sender} patched`);
    }
    expect(at(findings, 'exactState', { sender: 'L2H0', reader: 'L1H0' })).toEqual([0]);
  });
});
