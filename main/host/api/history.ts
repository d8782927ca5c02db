/** What a person does to a session besides computing: views, notes, and taking back. */
import { z } from 'zod';
import type { HostWindow } from '../host.ts';
import type { HostApi } from '../hostApi.ts';
import type { OpenSession } from '../openSession.ts';
import { attached } from './attached.ts';
import { fields, flag, method, name, nothing, plain, text } from './method.ts';

const id = z.int('must be the number of a note');
const subject = fields({
  kind: z.enum(['session', 'model', 'run', 'result'], 'must be "session", "model", "run" or "result"'),
  key: text,
  unit: text.min(1, 'must not be empty').exactOptional(),
});

type Names = 'setView' | 'addNote' | 'editNote' | 'removeNote' | 'undo' | 'redo';

export function historyMethods(window: HostWindow): Pick<HostApi, Names> {
  /** Does it in the history of the window's session, and tells who looks at it. */
  const within = <Result>(place: string, act: (session: OpenSession) => Result): Result => {
    const session = attached(window, place);
    const result = act(session);
    session.changed();
    return result;
  };
  return {
    setView: method('setView', fields({ name, value: plain, label: name.exactOptional() }), (change) =>
      within('setView', ({ history }) => history.setView(change)),
    ),
    addNote: method('addNote', fields({ subject, text: text.exactOptional(), bookmark: flag.exactOptional() }), (note) =>
      within('addNote', ({ history }) => history.addNote(note)),
    ),
    editNote: method('editNote', fields({ id, text: text.exactOptional(), bookmark: flag.exactOptional() }), ({ id: number, ...changes }) =>
      within('editNote', ({ history }) => history.editNote(number, changes)),
    ),
    removeNote: method('removeNote', fields({ id }), ({ id: number }) => within('removeNote', ({ history }) => history.removeNote(number))),
    undo: method('undo', nothing, () => within('undo', ({ history }) => history.undo())),
    redo: method('redo', nothing, () => within('redo', ({ history }) => history.redo())),
  };
}
