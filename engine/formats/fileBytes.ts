/** The bytes of a file somebody named: whole, of a bounded size, or a mistake that says what is wrong with the path. */
import { readFileSync, statSync } from 'node:fs';
import { UserError } from '../base/errors.ts';

/** Node reads no more at once. */
const READ_LIMIT = 2 ** 31 - 1;

/**
 * @param field who complains and of what, e.g. `readIdx: train-labels-idx1-ubyte`; @param limit the most bytes the file may have
 * @throws UserError if it is missing, not a file, unreadable or larger
 */
export function fileBytes(path: string, field: string, limit = READ_LIMIT): Uint8Array {
  try {
    // Asked first: reading a pipe or a device would not end.
    const status = statSync(path);
    if (!status.isFile()) throw new UserError(field, 'must be a file', status.isDirectory() ? 'a directory' : 'a special file');
    if (status.size > limit) throw new UserError(field, `must have at most ${limit} bytes`, status.size);
    return readFileSync(path);
  } catch (error) {
    if (error instanceof UserError) throw error;
    const code = (error as NodeJS.ErrnoException).code ?? String(error);
    if (code === 'ENOENT') throw new UserError(field, 'must exist', 'no such file', { cause: error });
    throw new UserError(field, 'must be readable', code, { cause: error });
  }
}
