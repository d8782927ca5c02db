/** The session browser: which sessions there are, opening, naming, copying and throwing them away. */
import { existsSync } from 'node:fs';
import { basename, extname } from 'node:path';
import { z } from 'zod';
import { UserError } from '../../../engine/base/errors.ts';
import { Session } from '../../store/session.ts';
import { SessionLog } from '../history/actionLog.ts';
import { History } from '../history/history.ts';
import type { Host, HostWindow } from '../host.ts';
import type { HostApi, Snapshot } from '../hostApi.ts';
import { browse } from '../sessions/browse.ts';
import { ENDING } from '../sessions/entries.ts';
import { previewOf } from '../sessions/preview.ts';
import { attached } from './attached.ts';
import { fields, flag, method, name, nothing, path, text } from './method.ts';

type Names =
  | 'sessions'
  | 'preview'
  | 'createSession'
  | 'openSession'
  | 'closeSession'
  | 'renameSession'
  | 'noteSession'
  | 'duplicateSession'
  | 'trashSession'
  | 'restoreSession'
  | 'forgetSession'
  | 'browse'
  | 'saveAs'
  | 'shareCopy';

const UNTITLED = 'Untitled';
const ofPath = fields({ path });
const ofCopy = fields({ path, replace: flag.exactOptional() });
const kinds = z.enum(['session', 'images'], 'must be "session" or "images"');

export function sessionsMethods(host: Host, window: HostWindow): Pick<HostApi, Names> {
  const { paths, shelf, clock, options } = host;

  const enter = async (whole: string): Promise<Snapshot> => {
    const opened = await host.attach(window, whole);
    shelf.opened(opened.path);
    host.listChanged();
    return opened.snapshot();
  };

  /** Changes the session at a path, whether it is open or not, as a person's action. */
  const change = (place: string, given: string, act: (history: History, session: Session) => void): void => {
    const whole = paths.within(`${place}: path`, given);
    const opened = host.opened(whole);
    if (opened) {
      act(opened.history, opened.session);
      opened.changed();
    } else {
      using session = Session.open(whole, 'write', { clock });
      act(new History(new SessionLog(session)), session);
    }
    host.listChanged();
  };

  /** What it takes the place of goes into the trash, and comes back if nothing is written. */
  const write = async (
    place: string,
    { path: given, replace = false }: { readonly path: string; readonly replace?: boolean },
    make: (target: string) => Promise<void>,
  ): Promise<{ path: string }> => {
    const whole = paths.within(`${place}: path`, given);
    const target = withEnding(whole);
    // Nobody was asked about a file whose ending was put to the name here.
    const replaces = replace && target === whole && existsSync(target);
    if (replaces) {
      await host.release(target, `${place}: path`);
      shelf.trash.take(target, clock().toISOString());
    }
    try {
      await make(target);
    } catch (error) {
      if (replaces) shelf.trash.restore(target);
      throw error;
    } finally {
      host.listChanged();
    }
    return { path: target };
  };

  /** The demonstration lies where the program does, and may be looked at all the same. */
  const reachable = (place: string, given: string): string => {
    const { demonstration } = options;
    if (demonstration !== undefined && given === demonstration) return paths.resolved(given) ?? given;
    const resolved = paths.resolved(given);
    const isDemonstration = demonstration !== undefined && resolved !== undefined && resolved === paths.resolved(demonstration);
    return isDemonstration ? resolved : paths.within(`${place}: path`, given);
  };

  return {
    sessions: method('sessions', nothing, () => shelf.list()),

    preview: method('preview', ofPath, async ({ path: given }, { signal }) => {
      const whole = reachable('preview', given);
      const entry = shelf.entry(whole);
      if (entry.state === 'damaged' || entry.state === 'missing')
        return { entry, highlights: [], computedOn: '', problems: entry.problem === undefined ? [] : [entry.problem] };
      const opened = host.opened(whole)?.session;
      try {
        if (opened) return await previewOf(opened, entry, signal);
      } catch (error) {
        // Closed in the middle of it: then it is looked at by itself.
        if (!opened?.isClosed) throw error;
      }
      using session = Session.open(whole, 'read');
      return await previewOf(session, entry, signal);
    }),

    createSession: method('createSession', fields({ name: name.exactOptional(), path: path.exactOptional() }), async (given) => {
      const whole = paths.within('createSession: path', given.path ?? shelf.freePath(given.name ?? UNTITLED));
      if (existsSync(whole)) throw new UserError('createSession: path', 'must not be there yet', given.path);
      Session.open(whole, 'create', { name: given.name ?? basename(whole, extname(whole)), clock }).close();
      return enter(whole);
    }),

    openSession: method('openSession', ofPath, ({ path: given }) => enter(reachable('openSession', given))),

    closeSession: method('closeSession', nothing, () => {
      host.detach(window);
      window.send({ type: 'jobs', jobs: [] });
    }),

    renameSession: method('renameSession', fields({ path, name }), ({ path: given, name: title }) =>
      change('renameSession', given, (history) => history.rename(title)),
    ),

    noteSession: method('noteSession', fields({ path, text }), ({ path: given, text: said }) =>
      change('noteSession', given, (history, session) => noteOn(history, session, said)),
    ),

    duplicateSession: method('duplicateSession', ofPath, async ({ path: given }) => {
      const whole = reachable('duplicateSession', given);
      const isShipped = shelf.entry(whole).shipped;
      const copy = isShipped ? shelf.freePath(shelf.entry(whole).name) : shelf.pathOfCopy(whole);
      const opened = host.opened(whole);
      if (opened) await opened.session.saveAs(copy);
      else {
        using session = Session.open(whole, 'read');
        await session.saveAs(copy);
      }
      using session = Session.open(copy, 'write', { clock });
      if (!isShipped) session.rename(`${session.info.name} copy`);
      host.listChanged();
      return { path: session.path };
    }),

    trashSession: method('trashSession', ofPath, async ({ path: given }) => {
      const whole = paths.within('trashSession: path', given);
      await host.release(whole, 'trashSession: path');
      shelf.trash.take(whole, clock().toISOString());
      shelf.forget(whole);
      host.listChanged();
    }),

    restoreSession: method('restoreSession', ofPath, ({ path: given }) => {
      shelf.trash.restore(paths.within('restoreSession: path', given));
      host.listChanged();
    }),

    forgetSession: method('forgetSession', ofPath, ({ path: given }) => {
      shelf.forget(paths.resolved(given) ?? given);
      host.listChanged();
    }),

    browse: method('browse', fields({ folder: path.exactOptional(), kind: kinds }), ({ folder, kind }) =>
      browse(paths, options.sessionsFolder, kind, folder),
    ),

    saveAs: method('saveAs', ofCopy, (given) => {
      const { session } = attached(window, 'saveAs');
      return write('saveAs', given, (target) => session.saveAs(target));
    }),

    shareCopy: method('shareCopy', ofCopy, (given) => {
      const { session } = attached(window, 'shareCopy');
      return write('shareCopy', given, (target) => session.shareCopy(target));
    }),
  };
}

const withEnding = (whole: string): string => (whole.endsWith(ENDING) ? whole : `${whole}${ENDING}`);

/** One note on the session as a whole; an empty one goes. */
function noteOn(history: History, session: Session, said: string): void {
  const before = session.notes().findLast(({ subject, text: words }) => subject.kind === 'session' && words !== '');
  if (said.trim() === '') {
    if (before) history.removeNote(before.id);
  } else if (!before) history.addNote({ subject: { kind: 'session', key: '' }, text: said });
  else if (before.text !== said) history.editNote(before.id, { text: said });
}
