/** What a person wrote beside the numbers: notes and bookmarks on the session, on models, runs and results, and on single units of them. */
import { UserError } from '../../engine/base/errors.ts';
import type { Connection } from './connection.ts';

export interface Subject {
  readonly kind: 'session' | 'model' | 'run' | 'result';
  /** Digest of a model, key of a run or result; empty for the session. */
  readonly key: string;
  /** A part of it: `L0U17`. */
  readonly unit?: string;
}

export interface Note {
  readonly id: number;
  readonly subject: Subject;
  readonly text: string;
  readonly bookmark: boolean;
  readonly at: string;
  readonly edited: string | undefined;
}

export interface NewNote {
  readonly subject: Subject;
  readonly text?: string;
  readonly bookmark?: boolean;
}

interface RawNote {
  readonly id: number;
  readonly kind: Subject['kind'];
  readonly key: string;
  readonly unit: string | null;
  readonly text: string;
  readonly bookmark: number;
  readonly at: string;
  readonly edited: string | null;
}

const select = `SELECT id, subject_kind AS kind, subject_key AS key, unit, text, bookmark, at, edited FROM notes`;
const subjects = {
  session: `SELECT 1 WHERE ? = ''`,
  model: 'SELECT 1 FROM (SELECT digest FROM models UNION ALL SELECT digest FROM language_models) WHERE digest = ?',
  run: 'SELECT 1 FROM runs WHERE key = ?',
  result: 'SELECT 1 FROM results WHERE key = ?',
} satisfies Record<Subject['kind'], string>;

/** In the order they were written. */
export function noteRows(connection: Connection): Note[] {
  return connection.all<RawNote>(`${select} ORDER BY id`).map(note);
}

function note({ id, kind, key, unit, text, bookmark, at, edited }: RawNote): Note {
  const subject = { kind, key, ...(unit !== null && { unit }) };
  return { id, subject, text, bookmark: bookmark === 1, at, edited: edited ?? undefined };
}

/** @throws UserError if the subject is not there, or it says and marks nothing */
export function putNote(connection: Connection, { subject, text = '', bookmark = false }: NewNote, at: string): Note {
  const { kind, key, unit } = subject;
  if (!Object.hasOwn(subjects, kind)) throw new UserError('note: subject', `must be one of ${Object.keys(subjects).join(', ')}`, kind);
  if (!connection.get(subjects[kind], key)) throw new UserError('note: subject', `must be a ${kind} of this session`, key);
  requireContent(text, bookmark);
  const values = [kind, key, unit ?? null, text, Number(bookmark), at];
  return connection.transaction(() => {
    connection.run('INSERT INTO notes (subject_kind, subject_key, unit, text, bookmark, at) VALUES (?, ?, ?, ?, ?, ?)', ...values);
    return note(connection.get<RawNote>(`${select} WHERE id = last_insert_rowid()`)!);
  });
}

/** @throws UserError if there is no such note, or it would say and mark nothing */
export function editNote(connection: Connection, id: number, changes: Pick<NewNote, 'text' | 'bookmark'>, at: string): Note {
  return connection.transaction(() => {
    const before = noteAt(connection, id);
    const { text = before.text, bookmark = before.bookmark } = changes;
    requireContent(text, bookmark);
    connection.run('UPDATE notes SET text = ?, bookmark = ?, edited = ? WHERE id = ?', text, Number(bookmark), at, id);
    return noteAt(connection, id);
  });
}

/** @throws UserError if there is no such note */
export function removeNote(connection: Connection, id: number): void {
  connection.transaction(() => {
    noteAt(connection, id);
    connection.run('DELETE FROM notes WHERE id = ?', id);
  });
}

/** Puts a note back as it was, in the place of the one with its number if there is one. */
export function restoreNote(connection: Connection, { id, subject, text, bookmark, at, edited }: Note): void {
  const values = [id, subject.kind, subject.key, subject.unit ?? null, text, Number(bookmark), at, edited ?? null];
  connection.run(
    'INSERT OR REPLACE INTO notes (id, subject_kind, subject_key, unit, text, bookmark, at, edited) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
    ...values,
  );
}

function noteAt(connection: Connection, id: number): Note {
  const row = Number.isSafeInteger(id) ? connection.get<RawNote>(`${select} WHERE id = ?`, id) : undefined;
  if (!row) throw new UserError('note: id', 'must be that of a note of this session', id);
  return note(row);
}

function requireContent(text: string, bookmark: boolean): void {
  if (text.trim() === '' && !bookmark) throw new UserError('note: text', 'must say something, unless it is a bookmark', text);
}
