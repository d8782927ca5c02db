import { expect, test } from 'vitest';
import { OnnxRuntimeExecutor } from '../../execute/onnxruntime.ts';
import { directLogitAttribution } from './directLogitAttribution.ts';
import { headAblation } from './headAblation.ts';
import { headInterchange } from './headInterchange.ts';
import { analyse, planted, plantedPairs } from './testing/subjects.ts';
test('see', async () => {
  const onnx = new OnnxRuntimeExecutor({ cacheBytes: 0 });
  const { model } = planted();
  const pairs = plantedPairs();
  for (const analysis of [directLogitAttribution, headInterchange, headAblation]) {
    const findings = await analyse(analysis as never, onnx, { model, pairs });
    for (const [name, { axes, data }] of Object.entries(findings.measures)) if (!axes.includes('pair')) console.log(name, axes.join('×'), [...data].map((x) => +x.toFixed(4)).join(' ').slice(0, 900));
    console.log(JSON.stringify(findings.facts, undefined, 1));
  }
  expect(1).toBe(1);
});
