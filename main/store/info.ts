/** What a session file says of itself. */
import type { Connection } from './connection.ts';

export interface SessionInfo {
  readonly uuid: string;
  readonly name: string;
  readonly created: string;
  /** Version of the program that made it. */
  readonly application: string;
  /** Of the file; one newer than this program's is only read. */
  readonly schema: number;
  /** Whether models are with their weights: not in a copy made for sharing. */
  readonly weights: boolean;
}

export function sessionInfo(connection: Connection): SessionInfo {
  const { weights, name, ...row } = connection.get<Omit<SessionInfo, 'weights' | 'schema'> & { weights: number }>(
    'SELECT uuid, name, created, application, weights FROM session',
  )!;
  // A name is shown in one line, wherever: whoever made the file may have put anything in it.
  return {
    ...row,
    name: name.replaceAll(/\p{Cc}/gu, ' ').trim(),
    weights: weights === 1,
    schema: Number(connection.pragma('user_version')),
  };
}
