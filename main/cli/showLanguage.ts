/** Language models and pairs of prompts, as `gatescope show` tells of them. */
import { transformerParameters } from '../../engine/models/transformer.ts';
import type { Session } from '../store/session.ts';
import { listed, section, short } from './table.ts';

export interface Shown {
  readonly plain: object;
  readonly text: string;
}

export function showLanguageModel(session: Session, digest: string): Shown {
  const row = session.languageModels().find((one) => one.digest === digest)!;
  const { config, origin, tokens } = session.languageModelWithoutWeights(digest);
  const tensors = transformerParameters(config).map(({ name, shape }) => ({ name, shape, dtype: 'float32' }));
  const { roles, reads, writes, ...plain } = config;
  const facts = [
    ['model', row.label],
    ['digest', digest],
    ['origin', [origin.kind, origin.name, origin.seed === undefined ? undefined : `seed ${origin.seed}`].filter(Boolean).join(', ')],
    ['weights', row.embedded ? 'in the session' : row.folder === undefined ? 'not in this copy' : `in ${row.folder}`],
    ['numbers', String(row.parameters)],
    ...Object.entries(plain).map(([name, value]) => [name, typeof value === 'object' ? JSON.stringify(value) : String(value)]),
    ...(roles ? [['roles', roles.join(', ')]] : []),
    ...(reads ? [['reads', 'masked by role, layer and head']] : []),
    ...(writes ? [['writes', 'masked by role and layer']] : []),
    ...(tokens ? [['tokens', `${tokens.length} with names: ${tokens.slice(0, 8).join(' ')} …`]] : []),
  ];
  const table = [
    ['tensor', 'shape', 'numbers'],
    ...tensors.map(({ name, shape }) => [name, shape.join(' × '), String(shape.reduce((a, b) => a * b, 1))]),
  ];
  return { plain: { ...row, config, from: origin, tensors }, text: `${listed(facts)}${section('Tensors', table)}` };
}

/** The first of them in full: the rest is what exports and views are for. */
export function showPairs(session: Session, digest: string): Shown {
  const row = session.pairSets().find((one) => one.digest === digest)!;
  const facts = [
    ['pairs', digest],
    ['source', row.source === '' ? 'a task' : row.source],
    ['number', String(row.pairs)],
    ['tokens', `${row.length} in a prompt`],
    ['arms', row.arms.join(', ')],
  ];
  const about = session.results().filter(({ pairSets }) => pairSets.includes(digest));
  const table = [['result', 'analysis'], ...about.map(({ key, analysis }) => [short(key), analysis])];
  return { plain: row, text: `${listed(facts)}${section('Results', table)}` };
}
