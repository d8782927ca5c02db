/** States that unfinished work goes on from: the last one of each request, whatever its kind of job makes of it. */
import { createHash } from 'node:crypto';
import { deserialize, serialize } from 'node:v8';
import type { Connection } from './connection.ts';
import { damaged, trusting } from './problems.ts';
import { eachChunk, joinChunks } from './tensors.ts';

/** Takes the place of the one before. @param state survives structured clone */
export function putCheckpoint(connection: Connection, key: string, state: unknown, at: string): void {
  const bytes = serialize(state);
  connection.transaction(() => {
    dropCheckpoint(connection, key);
    const values = [key, at, digestOf(key, bytes), bytes.length];
    connection.run('INSERT INTO checkpoints (key, at, digest, bytes) VALUES (?, ?, ?, ?)', ...values);
    eachChunk(bytes, (position, content) =>
      connection.run('INSERT INTO checkpoint_chunks (key, position, content) VALUES (?, ?, ?)', key, position, content),
    );
  });
}

/** In a box, since a state may be undefined. @throws DamagedSession if it is not what was stored under this key */
export function getCheckpoint(connection: Connection, key: string): { readonly value: unknown } | undefined {
  const row = connection.get<{ digest: string; bytes: number }>('SELECT digest, bytes FROM checkpoints WHERE key = ?', key);
  if (!row) return undefined;
  const what = `checkpoint ${key.slice(0, 12)}`;
  const bytes = joinChunks(connection, 'FROM checkpoint_chunks WHERE key = ?', key, row.bytes);
  if (!bytes || digestOf(key, bytes) !== row.digest) throw damaged(`the bytes of ${what} are not its own`, connection.path);
  return trusting(connection.path, what, () => ({ value: deserialize(bytes) as unknown }));
}

export function dropCheckpoint(connection: Connection, key: string): void {
  connection.run('DELETE FROM checkpoints WHERE key = ?', key);
}

export const checkpointKeys = (connection: Connection): string[] =>
  connection.all<{ key: string }>('SELECT key FROM checkpoints ORDER BY rowid').map(({ key }) => key);

/** With the key: a state that came under another one would go on from somewhere else. */
function digestOf(key: string, bytes: Uint8Array): string {
  return createHash('sha256').update(key).update(bytes).digest('hex');
}
