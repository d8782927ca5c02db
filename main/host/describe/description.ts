/** What can be asked for, as forms: the window builds its inputs of it and validates nothing itself. */
import { routingAnalyses } from '../../../engine/analyses/routing/index.ts';
import { analyses } from '../../../engine/analyses/index.ts';
import { trainOptions } from '../../../engine/jobs/trainClassifier.ts';
import { FOUNDATION_RATE } from '../../../engine/models/adapters/learningRate.ts';
import { protocols, routingProtocols } from '../../../engine/protocols/index.ts';
import type { Description, FormField } from '../hostApi.ts';
import { adapterChoices, adapterSuggestions } from './adapters.ts';
import { dataHere, namedData } from './data.ts';
import { formOf } from './form.ts';
import { presets } from './presets.ts';

/** Given by their places: the base is a model of the session, the digest is found out. */
const BY_OTHER_MEANS = ['base', 'data.digest'];

export function description(): Description {
  return {
    training: trainingForm(),
    adapters: adapterChoices(),
    analyses: analyses.map(({ id, title, models: { least, most, adapter }, options }) => ({
      id,
      title,
      models: { least, ...(Number.isFinite(most) && { most }), adapter },
      fields: formOf(options, { section: 'More' }),
    })),
    protocols: protocols.map(({ id, title, options }) => ({
      id,
      title,
      fields: formOf(options, {
        omit: BY_OTHER_MEANS,
        choices: { 'data.source': namedData, adapters: adapterSuggestions() },
      }),
    })),
    routing: {
      analyses: routingAnalyses.map(({ id, title, arms, others = { least: 0, most: 0 }, options }) => ({
        id,
        title,
        arms,
        others,
        fields: formOf(options, { section: 'More' }),
      })),
      protocols: routingProtocols.map(({ id, title, options }) => ({ id, title, fields: formOf(options, { section: 'More' }) })),
    },
    data: dataHere(),
    presets,
  };
}

function trainingForm(): FormField[] {
  return formOf(trainOptions, {
    omit: BY_OTHER_MEANS,
    fallbacks: { 'optimiser.kind': 'adam', 'optimiser.learningRate': FOUNDATION_RATE, seed: 0, stage: 'foundation', hidden: [256, 128] },
    choices: { 'data.source': namedData, adapter: adapterSuggestions() },
    when: { 'temperature.end': { path: 'temperature.kind', values: ['geometric', 'linear'] } },
  });
}
