/**
 * A question asked again and again while what it is about changes. At most one is on its way; of those that come meanwhile only the newest is
 * asked next, so that answers come as fast as they are given and never out of order.
 */
import { Cancelled } from '../../../../engine/base/errors.ts';

export class Latest<Question, Answer> {
  #answered = $state.raw<{ readonly question: Question; readonly answer: Answer } | undefined>();
  #problem = $state.raw<Error | undefined>();
  #next: Question | undefined;
  #asking = false;
  readonly #ask: (question: Question) => Promise<Answer>;
  readonly #isAlike: (one: Question, other: Question) => boolean;

  /** @param isAlike whether an answer to the one may be shown until that to the other is there: the same digit, a degree further */
  constructor(ask: (question: Question) => Promise<Answer>, isAlike: (one: Question, other: Question) => boolean) {
    this.#ask = ask;
    this.#isAlike = isAlike;
  }

  /** The newest answer there is, and what it answers. */
  get answered(): { readonly question: Question; readonly answer: Answer } | undefined {
    return this.#answered;
  }

  /** Why the newest question has no answer. */
  get problem(): Error | undefined {
    return this.#problem;
  }

  ask(question: Question): void {
    this.#next = question;
    if (!this.#asking) void this.#go();
  }

  async #go(): Promise<void> {
    this.#asking = true;
    while (this.#next !== undefined) {
      const question = this.#next;
      this.#next = undefined;
      // Asking too may fail, where the host has gone.
      const ask = async (): Promise<Answer> => this.#ask(question);
      const outcome = await ask().catch((error: unknown) => (error instanceof Error ? error : new Error(String(error))));
      const next = this.#next as Question | undefined;
      if (next !== undefined && !this.#isAlike(question, next)) continue;
      if (!(outcome instanceof Error)) {
        this.#answered = { question, answer: outcome };
        this.#problem = undefined;
      } else if (next === undefined && !(outcome instanceof Cancelled)) this.#problem = outcome;
    }
    this.#asking = false;
  }
}

/** One after the other, whoever asks: the host lets a newer question overtake the one before, and that would be lost. */
export function inTurn<Question, Answer>(ask: (question: Question) => Promise<Answer>): (question: Question) => Promise<Answer> {
  let before: Promise<unknown> = Promise.resolve();
  return (question) => {
    const mine = before.then(() => ask(question));
    before = mine.catch(() => undefined);
    return mine;
  };
}
