/**
 * The sweep over all units of a gated MLP, by the product's planner; both whole runs are part of every sweep. One thread whatever the machine
 * has: analyses run on one.
 */
import { feedsOf, ROWS, tapped } from '../../engine/analyses/forward.ts';
import { marginOf } from '../../engine/analyses/unitEffects.ts';
import { OnnxRuntimeExecutor } from '../../engine/execute/onnxruntime.ts';
import { UnitSweep } from '../../engine/interventions/unitSweep.ts';
import type { ClassifierModel } from '../../engine/models/classifier.ts';
import type { OurSide } from '../ours.ts';
import type { UnitsConfig } from '../suites.ts';
import type { Tensors } from './steps.ts';

/** Rows of a whole run, as in the analyses. */
const CHUNK = 500;

export function unitsSide(config: UnitsConfig, tensors: Tensors): OurSide {
  const { widths, images, every } = config;
  const hidden = widths.slice(1, -1);
  const classes = widths[widths.length - 1];
  const model = modelOf(config, tensors);
  const executor = new OnnxRuntimeExecutor();
  const { logits, layers } = tapped(model, 'soft');
  const sweep = new UnitSweep(executor, { output: logits, sites: layers.map(({ out }) => out), rows: ROWS }, feedsOf(model, 'soft'));
  const labels = tensors.get('labels') as Int32Array;
  const units = hidden.reduce((a, b) => a + b, 0);
  /** Margins [units, directions, images] with a swap, [directions, images] without. */
  const patched = new Float64Array(units * 2 * images);
  const baseline = new Float64Array(2 * images);

  const runAll = (): void => {
    for (let begin = 0; begin < images; begin += CHUNK) {
      const rows = Math.min(CHUNK, images - begin);
      const whole = (name: string) => {
        const data = (tensors.get(name) as Float32Array).subarray(begin * widths[0], (begin + rows) * widths[0]);
        return sweep.whole({ images: { data, shape: [rows, widths[0]] } });
      };
      const pair = [whole('clean'), whole('donor')];
      pair.forEach((clean, direction) => {
        const at = direction * images + begin;
        for (let row = 0; row < rows; row++) baseline[at + row] = marginOf(clean.output, row, classes, labels[begin + row]);
        let first = 0;
        hidden.forEach((width, site) => {
          // What is not run is proved to change nothing.
          for (let unit = first; unit < first + width; unit++) patched.set(baseline.subarray(at, at + rows), unit * 2 * images + at);
          for (const written of sweep.run(clean, site, { op: 'swap', donor: pair[1 - direction] }))
            written.rows.forEach((row, i) => {
              patched[(first + written.units[i]) * 2 * images + at + row] = marginOf(written.output, i, classes, labels[begin + row]);
            });
          first += width;
        });
      });
    }
  };

  runAll();
  const sampled = (margins: Float64Array) => Array.from(margins).filter((_margin, i) => (i % images) % every === 0);
  return {
    ready: { figures: sampled(patched), baseline: sampled(baseline) },
    round(work) {
      const began = performance.now();
      for (let i = 0; i < work; i++) runAll();
      return Promise.resolve({ seconds: (performance.now() - began) / 1000 });
    },
    end() {
      executor.dispose();
      return Promise.resolve();
    },
  };
}

function modelOf({ widths, temperature }: UnitsConfig, tensors: Tensors): ClassifierModel {
  const of = (name: string) => tensors.get(name) as Float32Array;
  const linear = widths
    .slice(1)
    .flatMap((_width, layer) => [[`layers.${layer}.weight`, of(`w${layer}`)] as const, [`layers.${layer}.bias`, of(`b${layer}`)] as const]);
  const gates = widths
    .slice(1, -1)
    .flatMap((_width, layer) => [
      [`layers.${layer}.gate.threshold`, of(`threshold${layer}`)] as const,
      [`layers.${layer}.gate.gain`, of(`gain${layer}`)] as const,
    ]);
  return {
    architecture: 'mlp',
    widths,
    angles: [0],
    seed: 0,
    rows: 'all',
    base: Object.fromEntries(linear),
    adapter: {
      id: 'dopamine',
      angles: [45],
      seed: 0,
      rows: 'all',
      sparsity: 0,
      temperature: widths.slice(1, -1).map(() => temperature),
      parameters: Object.fromEntries(gates),
    },
  };
}
