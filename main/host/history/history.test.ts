/** Undoing and redoing: any sequence of actions can be taken back and done again, also after the session was closed in between. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Session } from '../../store/session.ts';
import { Folder, fill } from '../../store/testing/sessions.ts';
import { PassingLog, SessionLog } from './actionLog.ts';
import { History } from './history.ts';

type Step =
  | { readonly do: 'view'; readonly name: string; readonly value: number; readonly labelled: boolean }
  | { readonly do: 'note' | 'edit' | 'remove'; readonly text: string; readonly which: number }
  | { readonly do: 'rename'; readonly text: string }
  | { readonly do: 'work'; readonly key: string }
  | { readonly do: 'undo' | 'redo' };

const text = fc.constantFrom('one', 'two', 'three');
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constant('view' as const), name: fc.constantFrom('a', 'b'), value: fc.nat(3), labelled: fc.boolean() }),
  fc.record({ do: fc.constantFrom('note' as const, 'edit' as const, 'remove' as const), text, which: fc.nat(3) }),
  fc.record({ do: fc.constant('rename' as const), text }),
  fc.record({ do: fc.constant('work' as const), key: fc.constantFrom('k1', 'k2') }),
  fc.record({ do: fc.constantFrom('undo' as const, 'redo' as const, 'undo' as const) }),
);

function take(history: History, session: Session, given: Step): void {
  const notes = session.notes();
  switch (given.do) {
    case 'view':
      return history.setView({ name: given.name, value: given.value, ...(given.labelled && { label: `Set ${given.name}` }) });
    case 'note':
      return void history.addNote({ subject: { kind: 'session', key: '' }, text: given.text });
    case 'edit':
      return notes.length > 0 ? history.editNote(notes[given.which % notes.length].id, { text: given.text, bookmark: true }) : undefined;
    case 'remove':
      return notes.length > 0 ? history.removeNote(notes[given.which % notes.length].id) : undefined;
    case 'rename':
      return history.rename(given.text);
    case 'work':
      return history.work('analyse', { analysis: 'firing', result: given.key });
    case 'undo':
      return void history.undo();
    case 'redo':
      return void history.redo();
    default:
      return given satisfies never;
  }
}

/** Everything that a window sees of it. */
const seen = (history: History, session: Session) => ({
  name: session.info.name,
  notes: session.notes(),
  views: history.views(),
  hidden: [...history.hidden()].sort(),
  history: history.state(),
});

test('undo then redo, and redo then undo, change nothing, wherever one is; a session that is opened again goes on there', () => {
  using folder = new Folder();
  let files = 0;
  fc.assert(
    fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
      const name = `${files++}.gatescope`;
      let tick = 0;
      const clock = () => new Date(1e12 + 1000 * tick++);
      let session = folder.session('create', name, { clock });
      let history = new History(new SessionLog(session));
      for (const [i, one] of steps.entries()) {
        take(history, session, one);
        const here = seen(history, session);
        for (const [there, back] of [['undo', 'redo'] as const, ['redo', 'undo'] as const]) {
          if (!here.history[there]) continue;
          history[there]();
          expect(seen(history, session)).not.toEqual(here);
          history[back]();
          expect(seen(history, session)).toEqual(here);
        }
        if (i % 3 !== 2) continue;
        session.close();
        session = folder.session('write', name, { clock });
        history = new History(new SessionLog(session));
        expect(seen(history, session)).toEqual(here);
      }
      // All the way back: nothing of what could be undone is left.
      while (history.state().undo) history.undo();
      expect(session.notes()).toEqual([]);
      expect(session.info.name).toBe(String(files - 1));
      session.close();
    }),
    { numRuns: 30, seed: 1 },
  );
});

test('a new action cuts what could be redone, also after undoing once more', () => {
  using folder = new Folder();
  const session = folder.session();
  const history = new History(new SessionLog(session));
  const set = (value: string) => history.setView({ name: 'a', value, label: value });
  for (const value of ['one', 'two', 'three']) set(value);
  history.undo();
  history.undo();
  expect(history.state()).toEqual({ undo: { label: 'one' }, redo: { label: 'two' } });
  set('four');
  expect(history.state()).toEqual({ undo: { label: 'four' } });
  history.undo();
  expect(history.state()).toEqual({ undo: { label: 'one' }, redo: { label: 'four' } });
  expect(new History(new SessionLog(session)).state()).toEqual(history.state());
  history.undo();
  expect(history.views()).toEqual({});
  expect(history.undo()).toEqual({ redo: { label: 'one' } });
});

test('work that ends in the background cuts nothing, also in a session that is opened again', () => {
  using folder = new Folder();
  const session = folder.session();
  const history = new History(new SessionLog(session));
  history.setView({ name: 'a', value: 1, label: 'Set a' });
  history.undo();
  history.work('analyse', { label: 'Analyse', result: 'k' });
  expect(history.state()).toEqual({ undo: { label: 'Analyse' }, redo: { label: 'Set a' } });
  expect(new History(new SessionLog(session)).state()).toEqual(history.state());
  history.redo();
  expect(history.views()).toEqual({ a: 1 });
  expect(new History(new SessionLog(session)).state()).toEqual({ undo: { label: 'Set a' } });
});

test('work that was undone and then asked for again is not there to be redone', () => {
  using folder = new Folder();
  const session = folder.session();
  const history = new History(new SessionLog(session));
  for (const result of ['k', 'other']) history.work('analyse', { label: result, result });
  history.undo();
  history.undo();
  history.work('analyse', { label: 'k', result: 'k' });
  expect(history.state()).toEqual({ undo: { label: 'k' }, redo: { label: 'other' } });
});

test('actions of the command line can be undone, too, where they say of what', () => {
  using folder = new Folder();
  const session = folder.session();
  fill(session);
  session.act('train', { run: 'r', model: 'm' });
  session.act('note', { note: 1 });
  session.act('export', { what: ['all'] });
  const history = new History(new SessionLog(session));
  expect(history.state()).toEqual({ undo: { label: 'Train' } });
  history.undo();
  expect([...history.hidden()]).toEqual(['r']);
  session.act('train', { run: 'r', model: 'm' });
  expect([...new History(new SessionLog(session)).hidden()]).toEqual([]);
});

test('a view that is nothing of an action keeps what it was in between', () => {
  using folder = new Folder();
  const session = folder.session();
  const history = new History(new SessionLog(session));
  history.setView({ name: 'a', value: 1, label: 'Set a' });
  history.setView({ name: 'a', value: 2 });
  history.undo();
  expect(history.views()).toEqual({});
  new History(new SessionLog(session)).redo(); // as of a session that was opened again
  expect(history.views()).toEqual({ a: 2 });
});

test('of a session that is opened to be read, views change for as long as it is open, and nothing else does', () => {
  using folder = new Folder();
  const path = folder.filled();
  const session = Session.open(path, 'read');
  const history = new History(new PassingLog(session));
  history.setView({ name: 'panes', value: 1, label: 'Panes' });
  expect(history.views()).toEqual({ panes: 1 });
  history.undo();
  expect(history.views()).toEqual({ panes: { left: 0.3 } });
  expect(() => history.addNote({ subject: { kind: 'session', key: '' }, text: 'x' })).toThrow('must be open to writing');
  expect(() => history.rename('x')).toThrow('must be open to writing');
  expect(session.layouts()).toEqual({ panes: { left: 0.3 } });
  session.close();
});

test('words that were taken back are in no copy for others', async () => {
  using folder = new Folder();
  const session = folder.session();
  const history = new History(new SessionLog(session));
  const { id } = history.addNote({ subject: { kind: 'session', key: '' }, text: 'a secret' });
  history.editNote(id, { text: 'fit to print' });
  expect(JSON.stringify(session.actions())).toContain('a secret');
  await session.shareCopy(folder.at('share.gatescope'));
  const copy = folder.session('read', 'share.gatescope');
  expect(copy.notes()).toMatchObject([{ text: 'fit to print' }]);
  expect(JSON.stringify(copy.actions())).not.toContain('secret');
  expect(copy.actions().map(({ verb }) => verb)).toEqual(['note', 'edit note']);
});
