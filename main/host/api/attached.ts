/** The session that a window is attached to. */
import { UserError } from '../../../engine/base/errors.ts';
import type { HostWindow } from '../host.ts';
import type { OpenSession } from '../openSession.ts';

/** @param place which method asks, for the error @throws UserError if the window is attached to none */
export function attached({ session }: HostWindow, place: string): OpenSession {
  if (!session) throw new UserError(`${place}: session`, 'must be open in this window', undefined);
  return session;
}
