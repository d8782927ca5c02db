/** Tier C as a protocol: which jobs it asks for, and a report that is read off the findings of bands, real ones on circuits written by hand. */
import { afterAll, expect, test } from 'vitest';
import { bands } from '../analyses/routing/bands.ts';
import { analyse, planted, plantedPairs } from '../analyses/routing/testing/subjects.ts';
import { checkFindings, type Findings } from '../base/findings.ts';
import type { Request } from '../contract.ts';
import { OnnxRuntimeExecutor } from '../execute/onnxruntime.ts';
import { trainPolicyOptions } from '../jobs/trainPolicy.ts';
import type { LanguageModel } from '../models/languageModel.ts';
import { judgeScales } from './alignmentRoutesScales.ts';
import { scalesFindings, tierC, WIDTH, type Scale } from './policyScales.ts';

const onnx = new OnnxRuntimeExecutor({ cacheBytes: 0 });
afterAll(() => onnx.dispose());

test('each number of heads is trained and asked about, and the report is what bands found', async () => {
  const asked: Request[] = [];
  const found: Findings[] = [];
  // What would be trained: one gate; a gate spread over three heads; nothing, so that there is no gap to have a share of.
  const models = [planted(), planted({ gate: 'band' })].map(({ model }) => model);
  const zeros = Object.fromEntries(Object.entries(models[0].parameters).map(([name, { length }]) => [name, new Float32Array(length)]));
  models.push({ ...models[0], parameters: zeros });
  const submit = async <Result>(request: Request): Promise<Result> => {
    asked.push(request);
    if (request.kind === 'trainPolicy') return { model: models[found.length], accepted: found.length < 2 } as Result;
    found.push(await analyse(bands, onnx, { model: (request.parameters as { model: LanguageModel }).model, pairs: plantedPairs() }));
    return found[found.length - 1] as Result;
  };
  const options = tierC.parse({ seed: 5, heads: [2, 4, 8], pairs: 12, baseSteps: 3, alignmentSteps: 2 });
  const report = await tierC.run(options, submit, () => undefined);
  expect(asked.map(({ kind }) => kind)).toEqual([0, 1, 2].flatMap(() => ['trainPolicy', 'bands']));
  expect(asked).toHaveLength(tierC.jobs(options));
  expect(asked[2].parameters).toEqual({
    stage: 'tier-c, 4 heads, seed 5',
    seed: 5,
    slots: 'layer',
    heads: 4,
    base: { steps: 3 },
    alignment: { steps: 2 },
  });
  expect(report.models.map(({ heads, accepted, best: { head }, band }) => [heads, accepted, head, band])).toEqual([
    [2, true, 'L1H2', 1],
    // Each of the three is needed.
    [4, true, expect.stringMatching(/^L1H[0-2]$/) as string, 1],
    [8, false, 'none', NaN],
  ]);
  report.models.slice(0, 2).forEach((model, i) => {
    const { axes, measures } = found[i];
    const of = (band: string) => measures.necessity.data[axes.band.values.indexOf(band)];
    const alone = [...measures.necessityAlone.data];
    expect(model.best.necessity).toBe(Math.max(...alone));
    expect(Object.keys(model.leading)).toEqual(['2', '4', '8']);
    expect(Object.values(model.leading).map(({ necessity }) => necessity)).toEqual([...measures.leadingNecessity.data]);
    expect(Object.values(model.leading).map(({ sufficiency }) => sufficiency)).toEqual([...measures.leadingSufficiency.data]);
    expect(model.layers.map(({ necessity }) => necessity)).toEqual([0, 1, 2, 3].map((layer) => of(`L${layer} all`)));
    // The two heads that are needed most are the set of two.
    const members = [...measures.leads.data.slice(0, alone.length)];
    const order = alone.map((_value, cell) => cell).sort((a, b) => alone[b] - alone[a] || a - b);
    expect(members.flatMap((is, cell) => (is ? [cell] : []))).toEqual(order.slice(0, 2).sort((a, b) => a - b));
  });
  const kept = checkFindings(scalesFindings(report));
  expect([...kept.measures.bestNecessity.data]).toEqual(report.models.map(({ best }) => best.necessity));
  expect(kept.measures.leadingNecessity.data[5]).toBe(report.models[1].leading[8].necessity);
  const fewer = { ...report.models[0], leading: { 2: report.models[0].leading[2] } };
  expect([...scalesFindings({ models: [fewer, report.models[1]] }).measures.leadingNecessity.data.slice(1, 3)]).toEqual([NaN, NaN]);
});

const scale = (heads: number, necessity: number, band: number, accepted = true): Scale => ({
  heads,
  accepted,
  best: { head: 'L1H0', necessity, sufficiency: necessity },
  leading: {},
  layers: [],
  band,
});

test.each<[string, readonly Scale[], string | undefined]>([
  ['the best does less and less, until several are needed', [scale(2, 0.93, 1), scale(4, 0.8, 2), scale(16, 0.08, 32)], 'reproduced'],
  ['in any order', [scale(16, 0.08, 32), scale(2, 0.93, 1)], 'reproduced'],
  ['one does more than the one before', [scale(2, 0.93, 1), scale(4, 0.95, 1), scale(8, 0.5, 4)], 'in sign only'],
  ['several from the first', [scale(2, 0.8, 2), scale(16, 0.08, 32)], 'in sign only'],
  ['no set is known to carry it', [scale(2, 0.93, 1), scale(16, 0.08, NaN)], 'in sign only'],
  ['one head in each', [scale(2, 0.93, 1), scale(16, 0.94, 1)], 'not reproducible here'],
  ['models that were not accepted', [scale(2, 0.93, 1), scale(4, 0.95, 1, false), scale(16, 0.08, 32)], 'reproduced'],
  ['one scale says nothing', [scale(2, 0.93, 1), scale(16, 0.08, 32, false)], undefined],
])('bands: %s', (_name, models, status) => {
  expect(judgeScales({ models }).map((evidence) => evidence.status)).toEqual(status === undefined ? [] : [status]);
});

test.each([
  [{ heads: [] }, /run tier-c: heads must be at least one number of heads/],
  [{ heads: [2, 3] }, /run tier-c: heads\.1 must be one of 2, 4, 8, 16, 32, 64: they share a width of 64, got 3/],
  [{ heads: [2, 4, 2] }, /run tier-c: heads must be different numbers/],
  [{ slots: 'one' }, /run tier-c: slots must be "layer" or "free"/],
])('%j is refused', (options, message) => {
  expect(() => tierC.parse(options)).toThrow(message);
});

test('the width that numbers of heads must divide is that of the recipe', () => {
  expect(trainPolicyOptions.parse({ seed: 0 }).width).toBe(WIDTH);
});
