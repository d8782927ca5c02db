/**
 * Actions that can be undone, as they stand in the log, the command line's among them. What a note said stands under `kept`, which copies made
 * for sharing leave out: words that were taken back are not to go on in them.
 */
import type { Action } from '../../store/actions.ts';
import type { Note } from '../../store/notes.ts';
import { fieldOf, textField } from '../../store/records.ts';

/** What an action changed. */
export type Change =
  | { readonly of: 'view'; readonly name: string; before: unknown; after: unknown }
  /** Undefined: not there. */
  | { readonly of: 'note'; readonly id: number; readonly before: Note | undefined; readonly after: Note | undefined }
  | { readonly of: 'name'; readonly before: string; readonly after: string }
  /** Keys of runs and results, which undoing hides. */
  | { readonly of: 'work'; readonly keys: readonly string[] };

export interface Entry {
  readonly id: number;
  /** `Force unit L1U41 shut` */
  readonly label: string;
  readonly change: Change;
}

const noteLabels: Readonly<Record<string, string>> = { note: 'Add a note', 'edit note': 'Edit a note', 'remove note': 'Remove a note' };

/** @returns undefined for what cannot be undone */
export function entryOf({ id, verb, arguments: given }: Action): Entry | undefined {
  const change = changeOf(verb, given);
  return change && { id, label: textField(given, 'label') ?? labelOf(verb, given), change };
}

function changeOf(verb: string, given: unknown): Change | undefined {
  switch (verb) {
    case 'view': {
      const name = textField(given, 'name');
      return name === undefined ? undefined : { of: 'view', name, before: fieldOf(given, 'before'), after: fieldOf(given, 'after') };
    }
    case 'note':
    case 'edit note':
    case 'remove note': {
      const kept = fieldOf(given, 'kept');
      const [before, after] = [fieldOf(kept, 'before'), fieldOf(kept, 'after')] as [Note | undefined, Note | undefined];
      const id = (after ?? before)?.id;
      return id === undefined ? undefined : { of: 'note', id, before, after };
    }
    case 'rename': {
      const [before, after] = [textField(given, 'before'), textField(given, 'after')];
      return before === undefined || after === undefined ? undefined : { of: 'name', before, after };
    }
    case 'train':
    case 'adapt':
    case 'interpolate':
    case 'analyse':
    case 'run': {
      const one = [textField(given, 'run'), textField(given, 'result')];
      const several = [fieldOf(given, 'runs'), fieldOf(given, 'results')].flat();
      const keys = [...one, ...several].filter((key): key is string => typeof key === 'string');
      return keys.length === 0 ? undefined : { of: 'work', keys };
    }
    default:
      return undefined;
  }
}

function labelOf(verb: string, given: unknown): string {
  switch (verb) {
    case 'analyse':
      return `Analyse ${textField(given, 'analysis') ?? ''}`.trim();
    case 'run':
      return `Run ${textField(given, 'protocol') ?? ''}`.trim();
    case 'rename':
      return 'Rename the session';
    default:
      return noteLabels[verb] ?? `${verb[0].toUpperCase()}${verb.slice(1)}`;
  }
}
