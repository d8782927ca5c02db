/** One note for a thing: its text and whether it is bookmarked. What says and marks nothing any more is removed. */
import type { Note, Subject } from '../../../../main/store/notes.ts';
import type { Host } from '../../../state/connection.svelte.ts';

const isOn = (subject: Subject, { kind, key, unit }: Subject): boolean =>
  subject.kind === kind && subject.key === key && subject.unit === unit;

/** The newest with a text, or else the newest. */
export function noteOn(notes: readonly Note[], subject: Subject): Note | undefined {
  const own = notes.filter((note) => isOn(note.subject, subject));
  return own.filter(({ text }) => text !== '').at(-1) ?? own.at(-1);
}

type Keeper = Pick<Host, 'addNote' | 'editNote' | 'removeNote'>;

export async function keepNote(
  host: Keeper,
  notes: readonly Note[],
  subject: Subject,
  change: { readonly text?: string; readonly bookmark?: boolean },
): Promise<void> {
  const before = noteOn(notes, subject);
  const { text, bookmark } = { text: before?.text ?? '', bookmark: before?.bookmark ?? false, ...change };
  const says = text.trim() !== '' || bookmark;
  if (!before) {
    if (says) await host.addNote({ subject, text, bookmark });
  } else if (says) await host.editNote({ id: before.id, ...change });
  else await host.removeNote({ id: before.id });
}
