/** The networks that answer side by side, and what the others may know of the one that is looked at. */
import type { Answer, Form } from '../../../../main/host/hostApi.ts';
import type { Corpus } from '../../../../main/store/corpora.ts';
import { percent } from '../../../words/numbers.ts';

export interface Contender {
  /** `base`, `soft`, `hard`, `rival` */
  readonly id: string;
  /** `Mode, soft` */
  readonly label: string;
  readonly model: string;
  readonly form: Form;
}

/** What the hidden units of a network do on the digit that is shown. */
export interface Firing {
  readonly contender: string;
  readonly active: Uint8Array;
  readonly outputs: Float32Array;
}

export type OneAnswer = Answer['answers'][number];

/** Units that are on. */
export const unitsOn = ({ active }: Pick<OneAnswer, 'active'>): number => active.reduce((sum, on) => sum + on, 0);

/** What those who do not see the bars hear after the answer: `with 98 %, right`. @param label the right class, if it is known */
export function verdictWords({ answer, probabilities }: OneAnswer, classes: readonly string[], label: number | undefined): string {
  const verdict = label === undefined ? '' : answer === label ? ', right' : `, wrong: it is ${classes[label]}`;
  return `with ${percent(100 * probabilities[answer], 0)}${verdict};`;
}

/** The classes it thinks most likely, for a tooltip. */
export function likeliest({ probabilities }: OneAnswer, classes: readonly string[], most = 3): { label: string; value: string }[] {
  return [...classes.keys()]
    .sort((a, b) => probabilities[b] - probabilities[a] || a - b)
    .slice(0, most)
    .map((k) => ({ label: classes[k], value: percent(100 * probabilities[k]) }));
}

/** MNIST's: where a session does not know its data by digest yet. */
const TEST_IMAGES = 10_000;

/** How many test images there are to pick from. */
export function testImages(corpora: readonly Corpus[], { source, digest }: { readonly source: string; readonly digest?: string }): number {
  const found = corpora.find((corpus) => (digest === undefined ? corpus.source === source : corpus.digest === digest));
  const counts = (found?.details as { readonly counts?: { readonly test?: number } } | undefined)?.counts;
  return counts?.test ?? TEST_IMAGES;
}

/** What the classes of the data are called; digits where a session does not say. */
export function classesOf(
  corpora: readonly Corpus[],
  { source, digest }: { readonly source: string; readonly digest?: string },
): readonly string[] {
  const found = corpora.find((corpus) => (digest === undefined ? corpus.source === source : corpus.digest === digest));
  const { classes } = (found?.details ?? {}) as { readonly classes?: readonly string[] };
  return classes ?? [...'0123456789'];
}
