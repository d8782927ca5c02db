/** JSON somebody else wrote, of a bounded size: its value, or a mistake that says where it stops being JSON. What it must hold is left to schemas. */
import { UserError } from '../base/errors.ts';
import { fileBytes } from './fileBytes.ts';

/** @param field who complains and of what, e.g. `huggingface: config.json` @throws UserError unless the bytes are JSON in UTF-8 */
export function parseJson(bytes: Uint8Array, field: string): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as unknown;
  } catch (error) {
    throw new UserError(field, 'must be JSON', (error as Error).message, { cause: error });
  }
}

/** @param limit the most bytes the file may have @throws UserError if it cannot be read, is larger or is not JSON */
export function jsonFile(path: string, field: string, limit: number): unknown {
  return parseJson(fileBytes(path, field, limit), field);
}
