/** An adapter's id as a field of a schema: options in their fixed order, and errors that name the field rather than the reader of ids. */
import { z } from 'zod';
import { UserError } from '../../base/errors.ts';
import { adapterOf } from './index.ts';

export const adapterId = z.string('must be a text').transform((id, context) => {
  try {
    return adapterOf(id).id;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const message = error.field === 'adapter: id' ? error.rule : `${error.rule} for the ${error.field.replace(': ', ' ')}`;
    context.issues.push({ code: 'custom', message, input: id });
    return z.NEVER;
  }
});
