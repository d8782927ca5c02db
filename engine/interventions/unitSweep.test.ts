/** The sweep against whole graphs fed with the changed site, write by write, by both executors; what is proved instead of run; wrong input. */
import { afterAll, describe, expect, test } from 'vitest';
import { feedsOf, ROWS, tapped, type Form, type HiddenLayer } from '../analyses/forward.ts';
import { UserError } from '../base/errors.ts';
import { EXACT, expectClose } from '../base/testing/closeTo.ts';
import type { Executor, Feeds } from '../execute/executor.ts';
import { OnnxRuntimeExecutor } from '../execute/onnxruntime.ts';
import { TensorFlowExecutor } from '../execute/tensorflow.ts';
import type { ClassifierModel } from '../models/classifier.ts';
import { meanDifference, NaiveUnits, randomClassifier, randomRows, tabulated } from './testing/unitSweeps.ts';
import { UnitSweep, type UnitSweepGraph, type UnitWrite } from './unitSweep.ts';

const onnx = new OnnxRuntimeExecutor();
const executors = [onnx, new TensorFlowExecutor()];
afterAll(() => onnx.dispose());

const SMALL = [13, 9, 7, 5];
const COUNT = 6;
const range = (end: number) => Array.from({ length: end }, (_entry, i) => i);

type SiteName = keyof HiddenLayer;

/** A model's sweep of one site in every layer, on the executor asked for, with images of two kinds. */
function prepare(executor: Executor, model: ClassifierModel, form: Form, name: SiteName, products = true) {
  const taps = tapped(model, form);
  const graph: UnitSweepGraph = { output: taps.logits, sites: taps.layers.map((layer) => layer[name]!), rows: ROWS };
  const fixed = feedsOf(model, form);
  const sweep = new UnitSweep(executor, graph, fixed, { products });
  const feeds = (seed: number): Feeds => {
    const modes = new Float32Array(COUNT * 2).map((_zero, i) => Number(i % 2 === seed % 2));
    return {
      images: { data: randomRows(COUNT, model.widths[0], seed), shape: [COUNT, model.widths[0]] },
      modes: { data: modes, shape: [COUNT, 2] },
    };
  };
  const [clean, donor] = [sweep.whole(feeds(1)), sweep.whole(feeds(2))];
  const naive = (on: Executor, site: number, of: 'clean' | 'donor' = 'clean') =>
    new NaiveUnits(on, graph, site, { ...fixed, ...feeds(of === 'clean' ? 1 : 2) });
  return { sweep, clean, donor, naive };
}

/** What reuse may cost: 1e-5 of how far the donor's output is from the clean one, on the mean. */
const tolerance = (clean: Float32Array, donor: Float32Array) => ({ relative: 0, absolute: 1e-5 * meanDifference(clean, donor) });

/** Holds every unit asked for to whole graphs. @returns how many of them moved the output by more than a thousandth of the gap */
function expectNaive(
  prepared: ReturnType<typeof prepare>,
  executor: Executor,
  { unitsOf = range, sites = [0, 1] }: { unitsOf?: (units: number) => number[]; sites?: number[] } = {},
): number {
  const { sweep, clean, donor, naive } = prepared;
  let moved = 0;
  for (const site of sites) {
    const whole = naive(executor, site);
    const other = naive(executor, site, 'donor');
    const allowed = tolerance(clean.output, donor.output);
    expectClose(clean.output, whole.output, allowed, `site ${site}: clean`);
    const size = clean.output.length;
    const writes: [string, UnitWrite, Float32Array | number][] = [
      ['donor', { op: 'swap', donor }, other.site],
      ['1', { op: 'set', value: 1 }, 1],
      ['0', { op: 'set', value: 0 }, 0],
    ];
    for (const [what, write, values] of writes) {
      const { table, run } = tabulated(sweep, clean, site, write);
      for (const unit of unitsOf(run.length)) {
        const cell = table.subarray(unit * size, (unit + 1) * size);
        const expected = whole.patched(unit, values);
        expectClose(cell, expected, allowed, `${executor.name}: site ${site}, unit ${unit} ← ${what}`);
        if (run[unit] === 0) {
          expectClose(cell, clean.output, EXACT, 'proved zero');
          expectClose(expected, whole.output, EXACT, `unit ${unit}: zero in the naive way`);
        }
        if (meanDifference(expected, whole.output) > 1e-3 * meanDifference(clean.output, donor.output)) moved++;
      }
    }
  }
  return moved;
}

describe('equal to whole graphs patched unit by unit', () => {
  test.each<[string | undefined, Form, SiteName]>([
    [undefined, 'base', 'out'],
    [undefined, 'base', 'pre'],
    ['dopamine', 'soft', 'out'],
    ['dopamine', 'soft', 'decision'],
    ['dopamine', 'soft', 'post'],
    ['dopamine', 'hard', 'out'],
    ['dopamine', 'hard', 'decision'],
    ['threshold+two-sided', 'soft', 'decision'],
    ['dopamine+pre-activation', 'soft', 'logit'],
    ['dopamine+context', 'soft', 'out'],
    ['gain', 'soft', 'out'],
    ['bias', 'soft', 'out'],
    ['lora-r2', 'soft', 'out'],
    ['full', 'soft', 'out'],
  ])('%s, %s, at %s', (adapter, form, name) => {
    const model = randomClassifier(SMALL, 3, adapter, adapter?.includes('context') ? [0, 45] : [45]);
    for (const executor of executors)
      for (const products of [true, false]) {
        const prepared = prepare(executor, model, form, name, products);
        for (const site of [0, 1]) expect(prepared.sweep.form(site)).toBe(products ? 'added' : 'replaced');
        // What is compared is not nothing.
        expect(expectNaive(prepared, executor)).toBeGreaterThan(10);
      }
  });

  test.each<[Form, SiteName]>([
    ['base', 'out'],
    ['soft', 'out'],
    ['soft', 'decision'],
    ['hard', 'decision'],
  ])('784-256-128-10, %s, at %s: units sampled', (form, name) => {
    const model = randomClassifier([784, 256, 128, 10], 5, 'dopamine');
    const prepared = prepare(onnx, model, form, name);
    const unitsOf = (units: number) => range(5).map((i) => (i * 53 + 7) % units);
    for (const executor of executors) expect(expectNaive(prepared, executor, { unitsOf })).toBeGreaterThan(5);
  });

  test('one hidden layer of one unit', () => {
    const model = randomClassifier([3, 1, 2], 8);
    expect(expectNaive(prepare(onnx, model, 'base', 'out'), onnx, { sites: [0] })).toBeGreaterThan(0);
  });

  test('another site than is claimed is found out', () => {
    const model = randomClassifier(SMALL, 3, 'dopamine');
    const right = prepare(onnx, model, 'soft', 'out');
    const wrong = prepare(onnx, model, 'soft', 'decision');
    expectNaive(right, onnx);
    expect(() => expectNaive({ ...wrong, naive: right.naive }, onnx)).toThrow(/site 0, unit \d+ ← donor: largest error/);
  });
});

describe('what is proved', () => {
  const model = randomClassifier(SMALL, 3, 'dopamine');
  // Silent whatever the image: its bias is far below what weights can bring.
  const silenced = structuredClone(model);
  silenced.base['layers.0.bias'][4] = -1e3;

  test.each<SiteName>(['out', 'decision', 'pre'])(
    "a run's own activations at %s change nothing, to the bit, and nothing is run",
    (name) => {
      for (const executor of executors)
        for (const products of [true, false]) {
          const { sweep, clean, naive } = prepare(executor, model, 'soft', name, products);
          for (const site of [0, 1]) {
            expect([...sweep.run(clean, site, { op: 'swap', donor: clean })]).toEqual([]);
            const whole = naive(executor, site);
            for (const unit of range(SMALL[site + 1]))
              expectClose(whole.patched(unit, whole.site), whole.output, EXACT, `${executor.name}: unit ${unit}`);
          }
        }
    },
  );

  test('a unit that gives the same in both runs is proved zero, and is zero in the naive way', () => {
    const prepared = prepare(onnx, silenced, 'soft', 'out');
    const { run } = tabulated(prepared.sweep, prepared.clean, 0, { op: 'swap', donor: prepared.donor });
    expect(run[4]).toBe(0);
    expect(run.filter((rows) => rows > 0).length).toBeGreaterThan(4);
    expectNaive(prepared, onnx);
  });

  test('a gate that is swapped over an activation of 0 changes nothing, though its decision changes', () => {
    const prepared = prepare(onnx, silenced, 'soft', 'decision');
    expect(tabulated(prepared.sweep, prepared.clean, 0, { op: 'set', value: 0.25 }).run[4]).toBe(0);
    expectNaive(prepared, onnx);
  });

  test('rows in which nothing changes are not run: as many as the values say', () => {
    const { sweep, clean, donor } = prepare(onnx, model, 'hard', 'decision', false);
    for (const site of [0, 1]) {
      const { run } = tabulated(sweep, clean, site, { op: 'swap', donor });
      const different = clean.sites[site].filter((decision, i) => decision !== donor.sites[site][i]).length;
      expect(run.reduce((a, b) => a + b, 0)).toBe(different);
      expect(different).toBeLessThan(clean.sites[site].length);
    }
  });

  test('a margin, which nothing reads, is not run at all', () => {
    const taps = tapped(model, 'soft');
    const graph = { output: taps.logits, sites: [taps.graph.sites.get('layers.0.gate.hook_margin')!], rows: ROWS };
    const sweep = new UnitSweep(onnx, graph, feedsOf(model, 'soft'));
    const clean = sweep.whole({ images: { data: randomRows(COUNT, 13, 1), shape: [COUNT, 13] } });
    expect(sweep.form(0)).toBe('unread');
    expect([...sweep.run(clean, 0, { op: 'set', value: 9 })]).toEqual([]);
  });
});

describe('runs', () => {
  test('are several where what they compute is wide', () => {
    const wide = prepare(onnx, randomClassifier([4, 90, 2000, 3], 6), 'base', 'out');
    const runs = Array.from(wide.sweep.run(wide.clean, 0, { op: 'swap', donor: wide.donor }), ({ units }) => units.length);
    expect(runs.length).toBeGreaterThan(3);
    expect(new Set(runs.slice(0, -1))).toEqual(new Set([32]));
    expectNaive(wide, onnx, { sites: [0], unitsOf: () => [0, 44, 89] });
  });

  test('the same writes give the same bits', () => {
    const { sweep, clean, donor } = prepare(onnx, randomClassifier(SMALL, 3, 'dopamine'), 'soft', 'out');
    const once = tabulated(sweep, clean, 0, { op: 'swap', donor }).table;
    expectClose(tabulated(sweep, clean, 0, { op: 'swap', donor }).table, once, EXACT, 'again');
  });

  test('programs are let go', () => {
    const executor = new OnnxRuntimeExecutor({ cacheBytes: 0 });
    for (const seed of [1, 2]) {
      using prepared = prepare(executor, randomClassifier([5, 4 + seed, 3], seed, 'dopamine'), 'soft', 'decision').sweep;
      expect(prepared.form(0)).toBe('added');
    }
    prepare(executor, randomClassifier([5, 9, 3], 3), 'base', 'out');
    // A program that is in use is never thrown out: these are the three of the last sweep at most.
    expect(executor.sessions).toBeLessThanOrEqual(3);
    executor.dispose();
  });
});

describe('wrong input', () => {
  const { sweep, clean, donor } = prepare(onnx, randomClassifier(SMALL, 3), 'base', 'out');
  const expectMistake = (act: () => void, message: RegExp) => {
    expect(act).toThrow(UserError);
    expect(act).toThrow(message);
  };

  test.each<[string, () => void, RegExp]>([
    ['no such site', () => [...sweep.run(clean, 2, { op: 'set', value: 0 })], /unitSweep: site must be an integer in \[0, 1\], got 2/],
    ['part of a site', () => [...sweep.run(clean, 0.5, { op: 'set', value: 0 })], /unitSweep: site must be an integer/],
    ['not a number', () => [...sweep.run(clean, 0, { op: 'set', value: NaN })], /unitSweep: value must be a finite number, got NaN/],
    [
      'a donor of other rows',
      () => [...sweep.run(clean, 0, { op: 'swap', donor: { ...donor, rows: 5 } })],
      /unitSweep: donor must be a run of 6 rows, got 5/,
    ],
    ['no images', () => sweep.whole({}), /run: input images must be fed/],
  ])('%s', (_name, act, message) => expectMistake(act, message));

  test('a site that has no units is named', () => {
    const taps = tapped(randomClassifier(SMALL, 3), 'base');
    const made = (graph: Partial<UnitSweepGraph>) => () =>
      new UnitSweep(onnx, { output: taps.logits, sites: [taps.layers[0].out], rows: ROWS, ...graph }, {});
    expectMistake(made({ sites: [taps.labels] }), /unitSweep: site 0 must be float32 \[rows, n\], got "int32\[rows\]"/);
    expectMistake(made({ output: taps.parameters['layers.0.weight'] }), /unitSweep: output must be float32 \[rows, n\]/);
  });
});
