/** What a person means by a few letters: a label, or the beginning of a digest or key. */
import { UserError } from '../../engine/base/errors.ts';
import type { Connection } from './connection.ts';
import { nearest } from '../../engine/base/nearest.ts';

export interface Found {
  readonly kind: 'model' | 'languageModel' | 'run' | 'result' | 'corpus' | 'pairs';
  /** Digest of a model, corpus or set of pairs, key of a run or result. */
  readonly key: string;
}

interface Candidate extends Found {
  readonly label: string;
}

const candidatesOf = {
  model: `SELECT 'model' AS kind, digest AS key, label FROM models ORDER BY rowid`,
  languageModel: `SELECT 'languageModel' AS kind, digest AS key, label FROM language_models ORDER BY rowid`,
  pairs: `SELECT 'pairs' AS kind, digest AS key, source AS label FROM pair_sets ORDER BY rowid`,
  run: `SELECT 'run' AS kind, key, label FROM runs ORDER BY rowid`,
  result: `SELECT 'result' AS kind, key, analysis AS label FROM results ORDER BY rowid`,
  corpus: `SELECT 'corpus' AS kind, digest AS key, source AS label FROM corpora ORDER BY rowid`,
} satisfies Record<Found['kind'], string>;

/** Fewer digits of a digest are too soon another's, and may be a label. */
const LEAST_DIGITS = 4;
const MOST_LISTED = 8;

/**
 * @param kinds what it may be; anything unless given
 * @throws UserError that names the nearest match if there is none, and the candidates if there are several
 */
export function find(
  connection: Connection,
  text: string,
  kinds: readonly Found['kind'][] = ['model', 'languageModel', 'run', 'result', 'corpus', 'pairs'],
): Found {
  const candidates = kinds.flatMap((kind) => connection.all<Candidate>(candidatesOf[kind]));
  const isPrefix = text.length >= LEAST_DIGITS && /^[0-9a-f]+$/i.test(text);
  const prefix = text.toLowerCase();
  const matches = candidates.filter(({ key, label }) => label === text || (isPrefix && key.startsWith(prefix)));
  if (matches.length === 1) return { kind: matches[0].kind, key: matches[0].key };
  if (matches.length > 1) {
    const listed = matches
      .slice(0, MOST_LISTED)
      .map(({ kind, key, label }) => `${kind === 'languageModel' ? 'model' : kind} ${key.slice(0, 12)} ${label}`);
    const more = matches.length > MOST_LISTED ? `, and ${matches.length - MOST_LISTED} more` : '';
    throw new UserError('session: name', `must mean one of ${listed.join(', ')}${more}`, text);
  }
  const like = nearest(text, new Set(candidates.flatMap(({ key, label }) => [label, key.slice(0, Math.max(LEAST_DIGITS, text.length))])));
  const rule = `must be the label, or ${LEAST_DIGITS} or more digits, of a ${[...new Set(kinds.map((kind) => (kind === 'languageModel' ? 'model' : kind)))].join(', ')} of this session`;
  throw new UserError('session: name', like === undefined ? rule : `${rule} (nearest: ${JSON.stringify(like)})`, text);
}
