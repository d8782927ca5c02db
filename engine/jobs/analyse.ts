/** Every analysis as a kind of job: reads the images, hands over the executor, checks models and findings. */
import { z } from 'zod';
import { UserError } from '../base/errors.ts';
import { checkFindings, type Findings } from '../base/findings.ts';
import { Random } from '../base/random.ts';
import { parseWith, wholeBetween } from '../base/schema.ts';
import type { JobContext, JobKind } from '../contract.ts';
import type { AnyAnalysis, LabelledModel } from '../analyses/analysis.ts';
import { OnnxRuntimeExecutor } from '../execute/onnxruntime.ts';
import { adapterOf } from '../models/adapters/index.ts';
import { checkClassifier, classifierModel, type ClassifierModel } from '../models/classifier.ts';
import { sameTensors } from '../models/modes.ts';
import { titlesOf } from '../models/titles.ts';
import { dataReference, type ImageSet, type Part } from '../tasks/dataReference.ts';
import { loadImages, requireDigest, type ImageData } from '../tasks/imageData.ts';
import { imageTables, rowsOf } from '../tasks/imageTables.ts';

/** What every analysis is asked with; `options` are its own. */
export const analyseRequest = z.strictObject({
  models: z.array(
    // What models are called in the findings follows from what they are (titles.ts): a label that is given counts for nothing.
    z.strictObject({ label: z.string('must be a text').optional(), model: classifierModel }),
    'must be a list of models',
  ),
  data: dataReference,
  seed: wholeBetween(0, Number.MAX_SAFE_INTEGER).default(0).meta({ description: 'of whatever is drawn' }),
  options: z.unknown().default({}),
});

export interface AnalyseParameters extends Omit<z.output<typeof analyseRequest>, 'models'> {
  readonly models: readonly LabelledModel[];
}

export function analysisJob(analysis: AnyAnalysis): JobKind<AnalyseParameters, Findings> {
  return {
    id: analysis.id,
    version: analysis.version,
    keeps: 'findings',
    parse(given) {
      const { models: asked, seed, ...parsed } = parseWith(analyseRequest, analysis.id, given);
      const titles = titlesOf(asked.map(({ model }) => model));
      const models = asked.map(({ model }, i) => ({ label: titles[i], model }));
      checkModels(analysis, models);
      const options: unknown = parseWith(analysis.options, analysis.id, parsed.options);
      return { ...parsed, models, seed: analysis.draws ? seed : 0, options: analysis.canonical?.(options, models) ?? options };
    },
    async run({ models, data: reference, seed, options }, context) {
      context.progress({ stage: 'images', done: 0, total: 1 });
      const data = requireDigest(await loadImages(reference.source), reference);
      const executor = new OnnxRuntimeExecutor();
      try {
        const findings = await analysis.run({ models, seed, options }, { ...analysisContext(context, data), executor });
        const contextual = models.some(({ model: { adapter } }) => adapter !== undefined && adapterOf(adapter.id).contextual);
        const facts = {
          analysis: analysis.id,
          data: data.digest,
          ...(contextual && { mode: 'of a context-conditioned adapter: the one trained on the angle nearest to that of the images' }),
          ...findings.facts,
        };
        return checkFindings({ ...findings, facts });
      } finally {
        executor.dispose();
      }
    },
  };
}

function checkModels({ id, models: { least, most, adapter } }: AnyAnalysis, models: readonly LabelledModel[]): void {
  if (models.length < least || models.length > most)
    throw new UserError(
      `${id}: models`,
      most === least ? `must be ${least}` : most === Infinity ? `must be at least ${least}` : `must be ${least} to ${most}`,
      models.length,
    );
  models.forEach(({ label, model }, i) => {
    const twin = models.findIndex((other) => sameModel(other.model, model));
    if (twin < i) throw new UserError(`${id}: models.${i}`, `must be another than models.${twin}`, models[twin].label);
    checkClassifier(`${id}: ${label}`, model);
    if (adapter !== 'optional' && !model.adapter) throw new UserError(`${id}: ${label}`, 'must have an adapter', 'a foundation');
    if (adapter === 'gated' && !adapterOf(model.adapter!.id).gated)
      throw new UserError(`${id}: ${label}`, 'must have gates', model.adapter!.id);
  });
}

/** Whether they are of one origin and compute the same. */
function sameModel(a: ClassifierModel, b: ClassifierModel): boolean {
  if (a === b) return true;
  const [one, other] = [a, b].map((model) => titlesOf([model])[0]);
  return one === other && sameTensors(a.base, b.base) && sameTensors(a.adapter?.parameters ?? {}, b.adapter?.parameters ?? {});
}

function analysisContext({ signal, progress, breathe }: JobContext, data: ImageData) {
  const { height, width, classes } = data;
  const images = (part: Part, angle: number, seed = 0): ImageSet => {
    const tables = imageTables(data, part === 'test' ? 'test' : 'train', [angle], new Random(0));
    const all = {
      count: tables.count,
      height,
      width,
      classes,
      images: new Float32Array(tables.images),
      labels: new Int32Array(tables.labels),
    };
    // The seed's own, as in training: what was held out from the models of this seed.
    return part === 'heldOut' ? chosen(all, rowsOf(data, 'heldOut', new Random(seed).fork('heldOut'))) : all;
  };
  return { signal, progress, breathe, images };
}

function chosen(set: ImageSet, rows: Int32Array): ImageSet {
  const pixels = set.height * set.width;
  const images = new Float32Array(rows.length * pixels);
  rows.forEach((row, i) => images.set(set.images.subarray(row * pixels, (row + 1) * pixels), i * pixels));
  return { ...set, count: rows.length, images, labels: Int32Array.from(rows, (row) => set.labels[row]) };
}
