import { expect, test } from 'vitest';
import { OnnxRuntimeExecutor } from '../../execute/onnxruntime.ts';
import { routingAnalyses } from './index.ts';
import { analyse, planted, plantedPairs } from './testing/subjects.ts';
const onnx = new OnnxRuntimeExecutor({ cacheBytes: 0 });
test.each(routingAnalyses.map((a) => [a.id, a] as const))('%s', async (id, analysis) => {
  const { model } = planted();
  const pairs = plantedPairs();
  if (id === 'relocation') return;
  const begin = performance.now();
  const findings = await analyse(analysis as never, onnx, { model, pairs }, {} as never);
  console.log('TIME', id, performance.now() - begin);
  for (const [name, { axes, data }] of Object.entries(findings.measures)) if (!axes.includes('pair') && !/Low|High|State|Moved|Effect/.test(name)) console.log(name, axes.join('×'), [...data].map((x) => +x.toFixed(4)).join(' ').slice(0, 700));
  console.log(JSON.stringify(findings.facts, undefined, 1));
  expect(1).toBe(1);
});
