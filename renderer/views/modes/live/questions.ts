/** What the live digit asks the host: which answers may stand in for each other, and how a digit is looked for that a network gets wrong. */
import type { Answer, AnswerRequest } from '../../../../main/host/hostApi.ts';

/** The same networks on the same digit: only the angle, the strokes or the place on the path have moved on. */
export function isAlike(one: AnswerRequest, other: AnswerRequest): boolean {
  const named = ({ contenders }: AnswerRequest): string => contenders.map(({ model, form }) => `${model} ${form}`).join();
  if (named(one) !== named(other)) return false;
  if ('index' in one.image) return 'index' in other.image && one.image.index === other.image.index;
  return 'pixels' in other.image;
}

/** In every part: whatever happens in the session makes the parts of a question anew, and asks nothing else by that. */
export function isSame(one: AnswerRequest, other: AnswerRequest): boolean {
  const drawn = ({ image }: AnswerRequest): Float32Array | undefined => ('pixels' in image ? image.pixels : undefined);
  if (drawn(one) !== drawn(other)) return false;
  const rest = (request: AnswerRequest): string => JSON.stringify({ ...request, ...(drawn(request) && { image: 'drawn' }) });
  return rest(one) === rest(other);
}

interface Search {
  /** Where it begins; it goes round once. */
  readonly from: number;
  readonly count: number;
  readonly signal: AbortSignal;
  /** @param done images asked about */
  readonly onProgress: (done: number) => void;
}

/** One after the other, so that the dial is answered in between. @returns undefined if there is none, or it was called off */
export async function firstWrong(
  ask: (index: number) => Promise<Answer>,
  { from, count, signal, onProgress }: Search,
): Promise<number | undefined> {
  for (let done = 0; done < count; done++) {
    const at = (from + done) % count;
    const { label, answers } = await ask(at);
    if (signal.aborted) return undefined;
    if (label !== undefined && answers[0].answer !== label) return at;
    if (done % 10 === 9) onProgress(done + 1);
  }
  return undefined;
}
