/**
 * What was done in a session, and undoing it. The log is all there is: undoing and redoing stand in it as actions of their own, so that a
 * session that is opened again goes on where it was. Computing is never undone: its results are hidden.
 */
import type { NewNote, Note } from '../../store/notes.ts';
import { fieldOf, integerField } from '../../store/records.ts';
import type { History as HistoryState, ViewChange } from '../hostApi.ts';
import type { ActionLog } from './actionLog.ts';
import { entryOf, type Entry } from './entries.ts';

export class History {
  readonly #log: ActionLog;
  /** That can be undone, and redone: the last first. */
  readonly #done: Entry[] = [];
  readonly #undone: Entry[] = [];
  /** Every piece of work that was ever done, with how often it is shown. */
  readonly #shown = new Map<string, number>();

  constructor(log: ActionLog) {
    this.#log = log;
    for (const action of log.actions()) {
      if (action.verb === 'undo' || action.verb === 'redo') this.#replay(action.verb, action.arguments);
      else this.#push(entryOf(action));
    }
  }

  state(): HistoryState {
    const [undo, redo] = [this.#done.at(-1), this.#undone.at(-1)];
    return { ...(undo && { undo: { label: undo.label } }), ...(redo && { redo: { label: redo.label } }) };
  }

  views(): Readonly<Record<string, unknown>> {
    return this.#log.views();
  }

  /** Keys of runs and results that were undone wherever they were asked for. */
  hidden(): ReadonlySet<string> {
    return new Set([...this.#shown].filter(([, times]) => times === 0).map(([key]) => key));
  }

  setView({ name, value, label }: ViewChange): void {
    this.#log.together(() => {
      const before = this.#log.views()[name];
      this.#log.setView(name, value);
      if (label !== undefined) this.#act('view', { name, label, before, after: value });
    });
  }

  addNote(given: NewNote): Note {
    return this.#log.together(() => {
      const after = this.#log.addNote(given);
      this.#act('note', {
        note: after.id,
        subject: after.subject,
        ...(after.bookmark && !after.text && { label: 'Add a bookmark' }),
        kept: { after },
      });
      return after;
    });
  }

  editNote(id: number, changes: Pick<NewNote, 'text' | 'bookmark'>): void {
    this.#log.together(() => {
      const before = this.#log.notes().find((note) => note.id === id);
      const after = this.#log.editNote(id, changes);
      this.#act('edit note', { note: id, changed: Object.keys(changes), kept: { before, after } });
    });
  }

  removeNote(id: number): void {
    this.#log.together(() => {
      const before = this.#log.notes().find((note) => note.id === id);
      this.#log.removeNote(id);
      this.#act('remove note', { note: id, kept: { before } });
    });
  }

  rename(name: string): void {
    const before = this.#log.name;
    if (name === before) return;
    this.#log.together(() => {
      this.#log.rename(name);
      this.#act('rename', { before, after: name });
    });
  }

  /** Finished work. @param given names its runs and results */
  work(verb: 'train' | 'adapt' | 'interpolate' | 'analyse' | 'run', given: Readonly<Record<string, unknown>>): void {
    this.#act(verb, given);
  }

  /** Takes back the newest action that was not taken back yet; nothing if there is none. */
  undo(): HistoryState {
    return this.#step('undo', this.#done.at(-1));
  }

  redo(): HistoryState {
    return this.#step('redo', this.#undone.at(-1));
  }

  #act(verb: string, given: unknown): void {
    const id = this.#log.act(verb, given);
    this.#push(entryOf({ id, at: '', verb, arguments: given, undone: false }));
  }

  /** A new action: what was undone before it can no longer be redone, but for work, which ends when it ends, whatever a person is about. */
  #push(entry: Entry | undefined): void {
    if (!entry) return;
    this.#done.push(entry);
    this.#count(entry, 1);
    // Work that was asked for again is there again: redoing it would do nothing.
    const isBack = ({ change }: Entry): boolean => change.of === 'work' && change.keys.every((key) => (this.#shown.get(key) ?? 0) > 0);
    const left = entry.change.of === 'work' ? this.#undone.filter((one) => !isBack(one)) : [];
    this.#undone.splice(0, this.#undone.length, ...left);
  }

  #step(verb: 'undo' | 'redo', entry: Entry | undefined): HistoryState {
    if (!entry) return this.state();
    const replaced = this.#log.together(() => {
      const before = this.#apply(entry, verb);
      this.#log.setUndone(entry.id, verb === 'undo');
      this.#log.act(verb, { action: entry.id, ...(entry.change.of === 'view' && { replaced: before }) });
      return before;
    });
    if (entry.change.of === 'view') swap(entry.change, verb, replaced);
    this.#move(verb, entry);
    return this.state();
  }

  /** What a view was in between, without having been an action, is what it comes back to. @returns the value of the view that was replaced */
  #apply({ change }: Entry, verb: 'undo' | 'redo'): unknown {
    switch (change.of) {
      case 'view': {
        const replaced = this.#log.views()[change.name];
        this.#log.setView(change.name, verb === 'undo' ? change.before : change.after);
        return replaced;
      }
      case 'note': {
        const note = verb === 'undo' ? change.before : change.after;
        if (note) this.#log.restoreNote(note);
        else if (this.#log.notes().some(({ id }) => id === change.id)) this.#log.removeNote(change.id);
        return undefined;
      }
      case 'name':
        return void this.#log.rename(verb === 'undo' ? change.before : change.after);
      case 'work':
        return undefined;
      default:
        return change satisfies never;
    }
  }

  #move(verb: 'undo' | 'redo', entry: Entry): void {
    if (verb === 'undo') this.#undone.push(...this.#done.splice(-1));
    else this.#done.push(...this.#undone.splice(-1));
    this.#count(entry, verb === 'undo' ? -1 : 1);
  }

  /** An undo or redo of the log, which changed what is stored when it was made. */
  #replay(verb: 'undo' | 'redo', given: unknown): void {
    const entry = (verb === 'undo' ? this.#done : this.#undone).at(-1);
    if (entry?.id !== integerField(given, 'action') || !entry) return;
    if (entry.change.of === 'view') swap(entry.change, verb, fieldOf(given, 'replaced'));
    this.#move(verb, entry);
  }

  #count({ change }: Entry, by: 1 | -1): void {
    if (change.of !== 'work') return;
    for (const key of change.keys) this.#shown.set(key, (this.#shown.get(key) ?? 0) + by);
  }
}

function swap(change: { before: unknown; after: unknown }, verb: 'undo' | 'redo', replaced: unknown): void {
  if (verb === 'undo') change.after = replaced;
  else change.before = replaced;
}
