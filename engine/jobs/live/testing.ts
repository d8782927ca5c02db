/** Models of MNIST's size for tests of live kinds: drawn, so that every part of an adapter counts. */
import { Random } from '../../base/random.ts';
import { adapterOf } from '../../models/adapters/index.ts';
import { classifierModel, type ClassifierModel } from '../../models/classifier.ts';
import { mlpParameters } from '../../models/mlp.ts';
import { initialise } from '../../models/parameters.ts';

const WIDTHS = [784, 9, 7, 10];

/** @param id none: a foundation */
export function drawnModel(id?: string, angles: readonly number[] = [45], seed = 1): ClassifierModel {
  const random = new Random(seed);
  const base = initialise(mlpParameters({ widths: WIDTHS }), random);
  for (const values of Object.values(base)) values.forEach((value, i) => (values[i] = 3 * value));
  const foundation = { architecture: 'mlp', widths: [...WIDTHS], angles: [0, 45], seed, rows: 'all', base };
  if (id === undefined) return classifierModel.parse(foundation);
  const adapter = adapterOf(id);
  const parameters =
    adapter.trains === 'base' ? structuredClone(base) : initialise(adapter.parameters({ widths: WIDTHS }, angles.length), random);
  for (const [name, values] of Object.entries(parameters)) {
    const noise = new Float32Array(values.length);
    random.fork(name).fillUniform(noise, -0.4, 0.4);
    values.forEach((value, i) => (values[i] = value + noise[i]));
  }
  const temperature = adapter.gated ? [0.3, 0.2] : [];
  return classifierModel.parse({
    ...foundation,
    adapter: { id, angles: [...angles], seed, rows: 'all', sparsity: 0, temperature, parameters },
  });
}

let digests = 0;
/** One that no other test has used. */
export const freshDigest = (): string => (++digests).toString(16).padStart(64, '0');
