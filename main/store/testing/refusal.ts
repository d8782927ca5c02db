/** What is said of a session that does not open, and that nothing came of trying. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { expect } from 'vitest';
import { UserError } from '../../../engine/base/errors.ts';
import type { Folder } from './sessions.ts';

/** The error of opening a file of the folder, which is then what it was, with nothing new beside it. */
export function refusal(folder: Folder, name: string, mode: 'read' | 'write'): UserError {
  const path = folder.at(name);
  const bytes = () => (existsSync(path) && statSync(path).isFile() ? readFileSync(path) : undefined);
  const [before, files] = [bytes(), folder.files()];
  let error: unknown;
  try {
    folder.session(mode, name);
  } catch (caught) {
    error = caught;
  }
  expect(error).toBeInstanceOf(UserError);
  expect(before === undefined || bytes()!.equals(before)).toBe(true);
  expect(folder.files()).toEqual(files);
  return error as UserError;
}
