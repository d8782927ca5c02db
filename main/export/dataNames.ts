/** What images are called where people read of them: findings and keys know them by their digest alone, wherever they lie. */
import { basename } from 'node:path';
import type { Findings } from '../../engine/base/findings.ts';
import type { Corpus } from '../store/corpora.ts';

/** `own.npz (0123456789ab)`: two files of one name are told apart. Undefined for images that are none of the corpora. */
export function dataName(digest: string, corpora: readonly Corpus[]): string | undefined {
  const corpus = corpora.find((one) => one.digest === digest);
  return corpus && `${basename(corpus.source)} (${digest.slice(0, 12)})`;
}

/** The same findings, with a name for the digest of their images where there is one. */
export function withDataNamed(findings: Findings, corpora: readonly Corpus[]): Findings {
  const name = dataName(String(findings.facts.data), corpora);
  return name === undefined ? findings : { ...findings, facts: { ...findings.facts, data: name } };
}
