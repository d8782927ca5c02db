/** Results to export, of every shape, and with names that formats have to take care of. */
import type { Findings, Measure } from '../../engine/base/findings.ts';
import type { ExportedResult } from './exported.ts';

const measure = (axes: string[], data: Measure['data'], unit: string): Measure => ({ axes, unit, definition: `as "${unit}"`, data });

const accuracy: Findings = {
  axes: { model: { values: ['a, b', 'the "other"'] }, form: { values: ['soft', 'hard'] }, angle: { values: [0, -45.5], unit: '°' } },
  measures: {
    accuracy: measure(['model', 'form', 'angle'], Float64Array.of(95.25, 0.1, NaN, 80, Infinity, -0.5, 1e-300, 7), '%'),
    parameters: measure(['model'], Int32Array.of(768, 0), 'numbers'),
  },
  facts: { analysis: 'accuracy', data: 'mnist', part: 'test', images: 10_000, device: 'onnxruntime-cpu' },
  claims: [{ claim: 'it holds', measured: { mean: 1 }, status: 'holds' }],
};
const overlap: Findings = {
  axes: { unit: { values: ['L0U0', 'L0U1', 'L1U0'] } },
  measures: { share: measure(['unit'], Float32Array.of(0.1, 0.25, 1), 'share'), jaccard: measure([], Float64Array.of(0.5), '') },
  facts: { form: 'hard', images: 21 },
};

const row = (analysis: string, key: string, findings: Findings): ExportedResult => ({
  key: key.repeat(64),
  analysis,
  version: 1,
  digest: 'd'.repeat(64),
  at: '2026-01-02T03:04:05.678Z',
  seed: 3,
  models: [{ label: 'a, b', digest: 'e'.repeat(64) }],
  findings,
});
export const results: readonly ExportedResult[] = [row('accuracy', '1', accuracy), row('overlap', '2', overlap)];
