/** `gatescope note FILE …`: notes and bookmarks on a session, its models, runs and results, and single units of them. */
import { Command } from 'commander';
import { unitLabel } from '../../engine/analyses/units.ts';
import { UserError } from '../../engine/base/errors.ts';
import { headLabel } from '../../engine/models/sites.ts';
import type { Note, Subject } from '../store/notes.ts';
import type { Session } from '../store/session.ts';
import { fileArgument, nearestText } from './common.ts';
import { findAny } from './names.ts';
import { OfferingArgument, OfferingOption } from './offers.ts';
import { jsonLine, print } from './output.ts';
import { notesTable } from './show.ts';
import { aligned } from './table.ts';
import { openToRead, openToWrite } from './work.ts';

interface NoteOptions {
  readonly unit?: string;
  readonly bookmark?: boolean;
  readonly edit?: string;
  readonly remove?: string;
  readonly json?: boolean;
}

export function noteCommand(): Command {
  return new Command('note')
    .description('write a note or a bookmark beside what a session holds, or list them')
    .usage('<file> [subject] [text] [options]')
    .addArgument(fileArgument())
    .addArgument(
      new OfferingArgument('[words...]', 'what it is on (session, or the title or digest of something) and what it says; none: list', {
        from: 'everything',
      }),
    )
    .option('--unit <label>', 'a unit of it, such as L0U17')
    .option('--bookmark', 'mark it; needs no text')
    .option('--no-bookmark', 'with --edit: no longer mark it')
    .addOption(new OfferingOption('--edit <id>', 'change the text of a note', { from: 'notes' }))
    .addOption(new OfferingOption('--remove <id>', 'remove a note', { from: 'notes' }))
    .option('--json', 'print one line of JSON')
    .action(async (file: string, words: readonly string[], options: NoteOptions) => {
      const notes = written(file, words, options);
      await print(options.json ? jsonLine(notes) : notes.length === 0 ? 'no notes\n' : `${aligned(notesTable(notes))}\n`);
    });
}

/**
 * Does what is asked. The log says that it was done, not in which words: those that were taken back are not to go on in copies.
 * @returns the note it is about; all of them if they are to be listed; what is left once one is removed
 */
function written(file: string, words: readonly string[], { unit, bookmark, edit, remove }: NoteOptions): Note[] {
  const changes = edit ?? remove;
  const refuse = (option: string, rule: string, value: unknown): never => {
    throw new UserError(`note: ${option}`, rule, value);
  };
  if (edit !== undefined && remove !== undefined) refuse('--edit', 'must not be given with --remove', edit);
  if (changes !== undefined && unit !== undefined) refuse('--unit', 'must be left where it is: a note stays on its unit', unit);
  if (remove !== undefined) {
    if (words.length > 0) refuse('text', 'must not be given with --remove', words[0]);
    using session = openToWrite(file);
    const id = idOf(remove, '--remove');
    session.removeNote(id);
    session.act('remove note', { note: id });
    return session.notes();
  }
  if (edit !== undefined) {
    if (words.length === 0 && bookmark === undefined) refuse('text', 'must be given with --edit, or whether it is a bookmark', '');
    using session = openToWrite(file);
    const changed = { ...(words.length > 0 && { text: words.join(' ') }), ...(bookmark !== undefined && { bookmark }) };
    const note = session.editNote(idOf(edit, '--edit'), changed);
    session.act('edit note', { note: note.id, changed: Object.keys(changed) });
    return [note];
  }
  if (words.length === 0) {
    if (unit !== undefined || bookmark !== undefined) refuse('subject', 'must be given: session, or the title or digest of something', '');
    using session = openToRead(file);
    return session.notes();
  }
  using session = openToWrite(file);
  const subject = subjectOf(session, words[0], unit);
  const note = session.addNote({ subject, text: words.slice(1).join(' '), bookmark: bookmark ?? false });
  session.act('note', { note: note.id, subject });
  return [note];
}

function idOf(text: string, option: string): number {
  if (!/^\d+$/.test(text)) throw new UserError(`note: ${option}`, 'must be the number of a note', text);
  return Number(text);
}

function subjectOf(session: Session, text: string, unit: string | undefined): Subject {
  const subject: Subject = text === 'session' ? { kind: 'session', key: '' } : named(session, text);
  if (unit === undefined) return subject;
  const units = unitsOf(session, subject);
  if (units.includes(unit)) return { ...subject, unit };
  throw new UserError('note: --unit', `must be one of ${text}${nearestText(unit, units)}`, unit);
}

/** A language model is a model to whoever writes about it. */
function named(session: Session, text: string): Subject {
  const { kind, key } = findAny(session, text, 'note: subject', ['model', 'languageModel', 'run', 'result']);
  return { kind: kind === 'languageModel' ? 'model' : kind, key };
}

/** Hidden units of a model, heads of a language model, also of a run's; of a result, whatever its axes name. */
function unitsOf(session: Session, { kind, key }: Subject): string[] {
  if (kind === 'result') return Object.values(session.result(key).findings.axes).flatMap(({ values }) => values.map(String));
  const run = kind === 'run' ? session.runs().find((one) => one.key === key) : undefined;
  const digest = run ? (run.model ?? run.languageModel) : key;
  const language = session.languageModels().find((model) => model.digest === digest);
  if (language)
    return Array.from({ length: language.layers * language.heads }, (_, i) =>
      headLabel(Math.floor(i / language.heads), i % language.heads),
    );
  const widths = session.models().find((model) => model.digest === digest)?.widths ?? [];
  return widths.slice(1, -1).flatMap((width, layer) => Array.from({ length: width }, (_entry, unit) => unitLabel(layer, unit)));
}
