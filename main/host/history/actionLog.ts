/** Where history is kept: in the session file, or, of one that is opened to be read, for as long as it is open. */
import type { Action } from '../../store/actions.ts';
import type { NewNote, Note } from '../../store/notes.ts';
import type { Session } from '../../store/session.ts';

/** What history reads and writes. */
export interface ActionLog {
  actions(): readonly Action[];
  /** @returns the action's id */
  act(verb: string, given: unknown): number;
  setUndone(action: number, undone: boolean): void;
  views(): Readonly<Record<string, unknown>>;
  setView(name: string, value: unknown): void;
  rename(name: string): void;
  addNote(note: NewNote): Note;
  editNote(id: number, changes: Pick<NewNote, 'text' | 'bookmark'>): Note;
  removeNote(id: number): void;
  restoreNote(note: Note): void;
  notes(): readonly Note[];
  readonly name: string;
  /** All of what `work` writes, or nothing of it. */
  together<T>(work: () => T): T;
}

export class SessionLog implements ActionLog {
  readonly #session: Session;

  /** @param session open to writing */
  constructor(session: Session) {
    this.#session = session;
  }

  get name(): string {
    return this.#session.info.name;
  }

  actions(): readonly Action[] {
    return this.#session.actions();
  }

  act(verb: string, given: unknown): number {
    return this.#session.act(verb, given);
  }

  setUndone(action: number, undone: boolean): void {
    this.#session.setUndone(action, undone);
  }

  views(): Readonly<Record<string, unknown>> {
    return this.#session.layouts();
  }

  setView(name: string, value: unknown): void {
    if (value === undefined) this.#session.dropLayout(name);
    else this.#session.setLayout(name, value);
  }

  rename(name: string): void {
    this.#session.rename(name);
  }

  addNote(note: NewNote): Note {
    return this.#session.addNote(note);
  }

  editNote(id: number, changes: Pick<NewNote, 'text' | 'bookmark'>): Note {
    return this.#session.editNote(id, changes);
  }

  removeNote(id: number): void {
    this.#session.removeNote(id);
  }

  restoreNote(note: Note): void {
    this.#session.restoreNote(note);
  }

  notes(): readonly Note[] {
    return this.#session.notes();
  }

  together<T>(work: () => T): T {
    return this.#session.together(work);
  }
}

/** Views can be looked at in any way; what would be written is refused by the session, as any writing to it is. */
export class PassingLog extends SessionLog {
  readonly #actions: Action[];
  #views: Record<string, unknown>;

  constructor(session: Session) {
    super(session);
    this.#actions = [...session.actions()];
    this.#views = session.layouts();
  }

  override actions(): readonly Action[] {
    return this.#actions;
  }

  override act(verb: string, given: unknown): number {
    const id = (this.#actions.at(-1)?.id ?? 0) + 1;
    this.#actions.push({ id, at: '', verb, arguments: given, undone: false });
    return id;
  }

  override setUndone(action: number, undone: boolean): void {
    const at = this.#actions.findIndex(({ id }) => id === action);
    this.#actions[at] = { ...this.#actions[at], undone };
  }

  override views(): Readonly<Record<string, unknown>> {
    return this.#views;
  }

  override setView(name: string, value: unknown): void {
    const { [name]: _before, ...others } = this.#views;
    this.#views = value === undefined ? others : { ...others, [name]: value };
  }

  override together<T>(work: () => T): T {
    return work();
  }
}
