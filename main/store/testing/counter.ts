/** A process that counts in a session, for tests of the lock: `counter.ts FILE TIMES` adds 1 so often, each time opening the file anew. */
import { UserError } from '../../../engine/base/errors.ts';
import { Session } from '../session.ts';

const [, , path, times] = process.argv;
for (let left = Number(times); left > 0;) {
  try {
    using session = Session.open(path, 'write');
    session.setLayout('count', ((session.layout('count') as number | undefined) ?? 0) + 1);
    left--;
  } catch (error) {
    if (!(error instanceof UserError && error.rule.startsWith('must not be in use'))) throw error;
    await new Promise((resolve) => setTimeout(resolve, 1)); // somebody else's turn
  }
}
