/** What things of a session are called on the command line: titles of models, and what a few letters mean. */
import { UserError } from '../../engine/base/errors.ts';
import type { Found } from '../store/find.ts';
import type { ModelRow } from '../store/models.ts';
import { nearest } from '../store/nearest.ts';
import type { Session } from '../store/session.ts';
import { short } from './table.ts';

/** More angles than this are told by their number. */
const MOST_ANGLES = 4;

/** `0°+45°` */
export function anglesText(angles: readonly number[]): string {
  if (angles.length > MOST_ANGLES) return `${angles.length} angles`;
  return angles
    .map((angle) => `${angle}°`)
    .join('+')
    .replaceAll('-', '−');
}

/**
 * Titles by digest: `foundation 0°+45°, seed 0`, `dopamine 45° on foundation 0°+45°, seed 0`. Of models that would have the same, those that
 * came later carry the beginning of their digest, so that a title stays what it was.
 */
export function modelTitles(rows: readonly ModelRow[]): ReadonlyMap<string, string> {
  const titles = new Map<string, string>();
  const taken = new Set<string>();
  for (const { digest, label, base, angles, adapterAngles, seed } of rows) {
    const own =
      base === undefined
        ? `${label} ${anglesText(angles)}, seed ${seed}`
        : `${label} ${anglesText(adapterAngles ?? [])} on ${titles.get(base) ?? short(base)}`;
    const title = taken.has(own) ? `${own} (${short(digest)})` : own;
    taken.add(title);
    titles.set(digest, title);
  }
  return titles;
}

/** The model a text means: its title, its label, or the beginning of its digest. @throws UserError with the nearest match, or the candidates */
export function findModel(session: Session, text: string, place: string): ModelRow {
  const rows = session.models();
  const titles = modelTitles(rows);
  const { key } = inPlace(session, text, place, ['model'], titles);
  return rows.find(({ digest }) => digest === key)!;
}

/** The same for anything that has a key or a digest. */
export function findAny(session: Session, text: string, place: string, kinds: readonly Found['kind'][]): Found {
  const rows = session.models();
  // A run has the label of its model, which is what is then meant.
  const labelled = kinds.includes('model') ? rows.filter(({ label }) => label === text) : [];
  if (labelled.length === 1) return { kind: 'model', key: labelled[0].digest };
  return inPlace(session, text, place, kinds, modelTitles(rows));
}

function inPlace(
  session: Session,
  text: string,
  place: string,
  kinds: readonly Found['kind'][],
  titles: ReadonlyMap<string, string>,
): Found {
  const titled = kinds.includes('model') ? [...titles].find(([, title]) => title === text) : undefined;
  if (titled) return { kind: 'model', key: titled[0] };
  try {
    return session.find(text, kinds);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const like = kinds.includes('model') && error.rule.startsWith('must be') ? nearest(text, titles.values()) : undefined;
    const rule = like === undefined ? error.rule : `must be a ${kinds.join(', ')} of this session (nearest: ${JSON.stringify(like)})`;
    throw new UserError(place, rule, text, { cause: error });
  }
}
