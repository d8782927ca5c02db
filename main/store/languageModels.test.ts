/** Language models and pairs of prompts in a session: kept once, found again bit for bit, refused where they are not what they were. */
import Database from 'better-sqlite3';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Random } from '../../engine/base/random.ts';
import { languageModelDigest } from '../../engine/formats/languageModelDigest.ts';
import type { LanguageModel } from '../../engine/models/languageModel.ts';
import { initialise } from '../../engine/models/parameters.ts';
import { transformerParameters } from '../../engine/models/transformer.ts';
import { selectPairs, type PairSet } from '../../engine/tasks/pairs.ts';
import { policyPairs } from '../../engine/tasks/policyPairs.ts';
import { policyTask } from '../../engine/tasks/policyRouting.ts';
import { canonicalDigest } from './canonical.ts';
import { DamagedSession } from './problems.ts';
import { Folder } from './testing/sessions.ts';

const config = { vocabulary: 11, positions: 8, width: 8, heads: 2, layers: 2, mlp: 4, normalisation: 'rms' as const, tied: true };
const model: LanguageModel = {
  architecture: 'transformer',
  config,
  parameters: initialise(transformerParameters(config), new Random(1)),
  origin: { kind: 'trained', name: 'recipe', seed: 1 },
  tokens: Array.from({ length: 11 }, (_, i) => `t${i}`),
};
const digest = languageModelDigest(model);
const pairs: PairSet = policyPairs(policyTask({ topics: 6, high: 2, middle: 1, keys: 1 }), { pairs: 4 });
const findings = {
  axes: { head: { values: ['L0H0', 'L0H1'] } },
  measures: { effect: { axes: ['head'], unit: 'logits', definition: 'by hand', data: Float64Array.of(1, NaN) } },
  facts: { pairs: 4 },
};

let folder: Folder;
beforeEach(() => void (folder = new Folder()));
afterEach(() => folder[Symbol.dispose]());

test('a trained one comes back with its run and its series, whatever its twin is called', () => {
  const session = folder.session('create');
  const request = { kind: 'trainPolicy', parameters: { stage: 'policy', seed: 1 } };
  const result = { model, accepted: true, series: { 'base loss': { unit: 'nats', values: Float32Array.of(2, 1) } } };
  const save = (key: string, value: object) =>
    session.saveTraining({ key: canonicalDigest(key), request, version: 1, result: value, seconds: 1, provenance: {} });
  save('one', result);
  const renamed = { ...model, origin: { kind: 'compiled' as const, name: 'another' }, tokens: undefined };
  save('two', { ...result, model: renamed });

  expect(session.languageModels()).toMatchObject([
    {
      digest,
      label: 'policy',
      origin: 'trained',
      layers: 2,
      heads: 2,
      width: 8,
      vocabulary: 11,
      seed: 1,
      embedded: true,
      folder: undefined,
    },
  ]);
  expect(session.models()).toEqual([]);
  expect(session.runs()).toMatchObject([{ languageModel: digest, model: undefined }, { languageModel: digest }]);
  expect(session.loadResult(canonicalDigest('one'))).toEqual({ value: result });
  expect(session.loadResult(canonicalDigest('two'))?.value).toMatchObject({ model: { origin: { name: 'another' } } });
  expect(session.series(canonicalDigest('one'))).toEqual([{ name: 'base loss', unit: 'nats', values: Float32Array.of(2, 1) }]);
  expect(session.languageModel(digest)).toEqual(model);
  expect(session.check()).toEqual([]);
  const shapes = session.tensor(tensorOf('blocks.0.attn.W_Q')).shape;
  expect(shapes).toEqual([8, 8]);
});

test('a result names its model and pairs, and its request comes back whole', () => {
  const session = folder.session('create');
  const parameters = {
    model,
    label: 'mine',
    pairs,
    others: [{ model, label: 'again', pairs: selectPairs(pairs, [0, 1]) }],
    seed: 0,
    options: {},
  };
  session.saveAnalysis({ key: canonicalDigest('sweep'), analysis: 'siteSweep', version: 1, parameters, findings });
  const [row] = session.results();
  expect(row).toMatchObject({
    models: [],
    languageModels: [
      { digest, label: 'mine' },
      { digest, label: 'again' },
    ],
    pairSets: [canonicalDigest(pairs), canonicalDigest(selectPairs(pairs, [0, 1]))],
  });
  expect(session.request(row.key)).toEqual({ kind: 'siteSweep', parameters });
  expect(session.requestOutline(row.key).parameters).toMatchObject({ model: digest, pairs: canonicalDigest(pairs) });
  expect(session.result(row.key).findings).toEqual(findings);
  expect(session.pairSets()).toMatchObject([{ pairs: 4, length: 8, source: '' }, { pairs: 2 }]);
  session.putPairSet(pairs, '/home/ada/pairs.json');
  expect(session.pairSets()[0]).toMatchObject({ source: '/home/ada/pairs.json' });
  expect(session.pairSet(canonicalDigest(pairs))).toEqual(pairs);
  expect(session.find(digest.slice(0, 6))).toEqual({ kind: 'languageModel', key: digest });
  expect(session.check()).toEqual([]);
});

test('a loaded one is known by its folder until it is embedded', () => {
  const session = folder.session('create');
  const loaded = {
    folder: '/models/tiny',
    digest,
    architecture: model.architecture,
    config,
    origin: { kind: 'loaded' as const, name: '/models/tiny' },
    parameters: 123,
  };
  session.putLoadedModel(loaded, { label: 'tiny' });
  session.putLoadedModel({ ...loaded, folder: '/elsewhere/tiny' }, { label: 'other' });
  expect(session.languageModels()).toMatchObject([{ label: 'tiny', embedded: false, folder: '/elsewhere/tiny', parameters: 123 }]);
  expect(() => session.languageModel(digest)).toThrow(
    /must hold the weights of model [0-9a-f]{12}, which were loaded from \/elsewhere\/tiny/,
  );
  session.saveAnalysis({
    key: canonicalDigest('sweep'),
    analysis: 'siteSweep',
    version: 1,
    parameters: { model: { folder: '/elsewhere/tiny', digest }, label: 'tiny', pairs, seed: 0 },
    findings,
  });
  expect(session.results()[0].languageModels).toEqual([{ digest, label: 'tiny' }]);
  // In the order they were asked about, whether they stand there or are named.
  const other = { ...model, config: { ...config, epsilon: 1e-6 } };
  session.saveAnalysis({
    key: canonicalDigest('comparison'),
    analysis: 'relocation',
    version: 1,
    parameters: {
      model: other,
      label: 'other',
      pairs,
      others: [{ model: { folder: '/elsewhere/tiny', digest }, label: 'tiny', pairs }],
      seed: 0,
    },
    findings,
  });
  expect(session.results()[1].languageModels.map(({ label }) => label)).toEqual(['other', 'tiny']);
  expect(session.check()).toEqual([]);
  session.putLanguageModel(model, { label: 'again' });
  expect(session.languageModels()).toMatchObject([{ label: 'tiny', embedded: true }, { label: 'other' }]);
  expect(session.languageModel(digest).parameters).toEqual(model.parameters);
});

test('a copy made for sharing has neither weights nor prompts nor folders', async () => {
  const session = folder.session('create');
  session.putLanguageModel(model, { label: 'mine' });
  session.putPairSet(pairs, '/home/ada/pairs.json');
  session.saveAnalysis({
    key: canonicalDigest('a'),
    analysis: 'siteSweep',
    version: 1,
    parameters: { model, label: 'mine', pairs },
    findings,
  });
  await session.shareCopy(folder.at('shared.gatescope'));
  const copy = folder.session('read', 'shared.gatescope');
  expect(copy.check()).toEqual([]);
  expect(copy.languageModels()).toMatchObject([{ label: 'mine', embedded: false }]);
  expect(copy.pairSets()).toMatchObject([{ source: 'pairs.json', pairs: 4 }]);
  expect(() => copy.pairSet(canonicalDigest(pairs))).toThrow(/must hold the pairs/);
  expect(() => copy.languageModel(digest)).toThrow(/must hold the weights/);
  expect(copy.result(canonicalDigest('a')).findings).toEqual(findings);
});

test('a weight that is another is found out', () => {
  const session = folder.session('create');
  session.putLanguageModel(model, { label: 'mine' });
  session.close();
  const tensor = tensorOf('blocks.1.mlp.W_in');
  const other = tensorOf('blocks.0.mlp.W_in');
  const database = new Database(folder.at('study.gatescope'));
  database.prepare('UPDATE language_model_tensors SET tensor = ? WHERE tensor = ?').run(other, tensor);
  database.close();
  const damaged = folder.session('read');
  expect(() => damaged.languageModel(digest)).toThrow(DamagedSession);
  expect(damaged.check()).toHaveLength(1);
});

function tensorOf(name: string): string {
  const database = new Database(folder.at('study.gatescope'), { readonly: true });
  try {
    return database.prepare<[string], { tensor: string }>('SELECT tensor FROM language_model_tensors WHERE name = ?').get(name)!.tensor;
  } finally {
    database.close();
  }
}
