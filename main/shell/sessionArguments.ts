/** What the words of a command line ask for. */
import { resolve } from 'node:path';

/** Paths of session files among the words, absolute. @param folder the words were said in */
export function sessionsIn(words: readonly string[], folder: string): string[] {
  return words
    .slice(1)
    .filter((word) => !word.startsWith('-') && /\.gatescope$/i.test(word))
    .map((word) => resolve(folder, word));
}
