/** An answering thread that does as it is told. For tests. */
import { UserError } from '../../base/errors.ts';
import { answerIn } from '../answeringThread.ts';

export type Told =
  | { readonly say: string }
  | { readonly mistake: string }
  | { readonly bug: string }
  | { readonly exit: number }
  /** Blocks until the word in the shared array is not 0 any more. */
  | { readonly wait: true };

answerIn((word: Int32Array) => ({
  answer(told: Told): string {
    if ('say' in told) return told.say;
    if ('mistake' in told) throw new UserError('answering module: mistake', 'must not be asked for', told.mistake);
    if ('bug' in told) throw new TypeError(told.bug);
    if ('exit' in told) process.exit(told.exit);
    Atomics.wait(word, 0, 0);
    return 'waited';
  },
  dispose: () => Atomics.add(word, 1, 1),
}));
