/**
 * A point of a path between modes, kept as a model of its own. It was trained by nobody and is a run all the same: so a session has where it
 * came from. What the paths are is in models/modes.ts.
 */
import { z } from 'zod';
import { between, parseWith, wholeBetween } from '../base/schema.ts';
import type { JobKind } from '../contract.ts';
import { adapterOf } from '../models/adapters/index.ts';
import { checkClassifier, classifierModel } from '../models/classifier.ts';
import { interpolate } from '../models/modes.ts';
import { countParameters } from '../models/parameters.ts';
import { dataReference } from '../tasks/dataReference.ts';
import { digestTensors, stageName, type TrainResult } from './trainClassifier.ts';

export const interpolateOptions = z.strictObject({
  stage: stageName.optional().meta({ description: 'what the mode is called; no number depends on it' }),
  model: classifierModel,
  /** Absent: the path is from the base to the model. */
  other: classifierModel.optional(),
  share: between(0, 1).meta({
    description: 'where on the path: 0 is the base, or the first mode where there are two; 1 the mode, or the other',
  }),
  /** Of the run; nothing is drawn. */
  seed: wholeBetween(0, Number.MAX_SAFE_INTEGER).optional(),
  /** What the modes were trained on, so that whoever asks how well this one does need not say. */
  data: dataReference.unwrap().optional(),
});

export type InterpolateParameters = z.output<typeof interpolateOptions>;

export const interpolateMode: JobKind<InterpolateParameters, TrainResult> = {
  id: 'interpolateMode',
  version: 1,
  keeps: 'training',
  neutral: ['stage', 'seed', 'data'],
  /** Makes the mode to see whether it can be: it takes a few milliseconds, and a mistake is told before an engine is started. */
  parse(given) {
    const parsed = parseWith(interpolateOptions, 'interpolateMode', given);
    const { model, other, share } = parsed;
    checkClassifier('interpolateMode: model', model);
    if (other) checkClassifier('interpolateMode: other', other);
    const { id, seed } = interpolate(model, other, share).adapter!;
    return { ...parsed, stage: parsed.stage ?? `${id} (share ${Number(share.toPrecision(4))})`, seed: parsed.seed ?? seed };
  },
  async run({ model: from, other, share }) {
    const model = interpolate(from, other, share);
    checkClassifier('interpolateMode', model);
    const { id, angles, parameters } = model.adapter!;
    const adapter = adapterOf(id);
    return {
      model,
      digest: digestTensors(parameters),
      count: countParameters(adapter.parameters(model, angles.length)),
      series: {},
      frozenDigest: digestTensors(adapter.trains === 'base' ? {} : model.base),
    };
  },
};
