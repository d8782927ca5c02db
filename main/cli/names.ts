/** What a few letters on the command line mean: things of a session by their titles, labels and digests. */
import { UserError } from '../../engine/base/errors.ts';
import { modelTitles } from '../host/modelTitles.ts';
import type { Found } from '../store/find.ts';
import type { ModelRow } from '../store/models.ts';
import type { Session } from '../store/session.ts';
import { nearestText } from './common.ts';

/** The model a text means: its title, its label, or the beginning of its digest. @throws UserError with the nearest match, or the candidates */
export function findModel(session: Session, text: string, place: string): ModelRow {
  const rows = session.models();
  const titles = modelTitles(rows);
  const { key } = inPlace(session, text, place, ['model'], titles);
  return rows.find(({ digest }) => digest === key)!;
}

/** The same for anything that has a key or a digest; what is found is of one of the kinds. */
export function findAny<Kind extends Found['kind']>(session: Session, text: string, place: string, kinds: readonly Kind[]): FoundOf<Kind> {
  const rows = session.models();
  // A run has the label of its model, which is what is then meant.
  const labelled: Found[] = [
    ...rows.flatMap(({ label, digest }) => (label === text ? [{ kind: 'model' as const, key: digest }] : [])),
    ...session.languageModels().flatMap(({ label, digest }) => (label === text ? [{ kind: 'languageModel' as const, key: digest }] : [])),
  ];
  const model = labelled.length === 1 ? ofKind(kinds, labelled[0]) : undefined;
  return model ?? inPlace(session, text, place, kinds, modelTitles(rows));
}

interface FoundOf<Kind> {
  readonly kind: Kind;
  readonly key: string;
}

/** Undefined if it is of another kind. */
function ofKind<Kind extends Found['kind']>(kinds: readonly Kind[], { kind, key }: Found): FoundOf<Kind> | undefined {
  const own = kinds.find((one) => one === kind);
  return own && { kind: own, key };
}

function inPlace<Kind extends Found['kind']>(
  session: Session,
  text: string,
  place: string,
  kinds: readonly Kind[],
  titles: ReadonlyMap<string, string>,
): FoundOf<Kind> {
  const titled = [...titles].find(([, title]) => title === text);
  const model = titled && ofKind(kinds, { kind: 'model', key: titled[0] });
  if (model) return model;
  try {
    return ofKind(kinds, session.find(text, kinds))!;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const ofModels = kinds.some((kind) => kind === 'model') && error.rule.startsWith('must be');
    const like = ofModels ? nearestText(text, titles.values()) : '';
    const rule = like === '' ? error.rule : `must be a ${kinds.join(', ')} of this session${like}`;
    throw new UserError(place, rule, text, { cause: error });
  }
}
