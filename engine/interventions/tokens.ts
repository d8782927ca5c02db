/**
 * What the tokens of prompts alone show of an intervention, before anything is run: in a causal model two prompts have the same values up to where they
 * begin to differ, to the bit.
 */
import type { PairSet } from '../tasks/pairs.ts';
import { armSource, type ResolvedWrite, type Source } from './donors.ts';
import type { Arm } from './intervention.ts';
import type { Site } from './modelGraph.ts';
import type { Chunk } from './places.ts';
import type { ResolvedIntervention } from './resolve.ts';
import { replaces } from './write.ts';

export class Tokens {
  readonly #pairs: PairSet;
  readonly #base: Source;
  readonly #differences = new Map<string, number[]>();

  constructor(pairs: PairSet, base: Arm) {
    this.#pairs = pairs;
    this.#base = armSource(pairs, base);
  }

  /** Whether nothing is changed in a chunk, for all that is written stands there already. */
  changeNothing({ sites }: ResolvedIntervention, chunk: Chunk): boolean {
    return sites.every(({ writes }) =>
      writes.every((write) =>
        chunk.every((pair) => {
          const differs = this.#differs(write, pair);
          return write.places[pair].every((position) => position < differs);
        }),
      ),
    );
  }

  /**
   * The first position at which an intervention may change anything that matters in a chunk; undefined where it cannot.
   * @param earlierMatters whether a write to a site before the position that is read can matter
   */
  firstChange({ sites }: ResolvedIntervention, chunk: Chunk, earlierMatters: (site: Site) => boolean): number | undefined {
    let first: number | undefined;
    for (const { site, writes } of sites) {
      const earlier = earlierMatters(site);
      for (const write of writes)
        for (const pair of chunk) {
          const read = this.#pairs.read[pair];
          const differs = this.#differs(write, pair);
          for (const position of write.places[pair])
            if (position >= differs && (position === read || (position < read && earlier)) && (first === undefined || position < first))
              first = position;
        }
    }
    return first;
  }

  /** The first position of a pair at which a write may put something else there. What is not taken as it stands may differ from the first on. */
  #differs({ write, donor }: ResolvedWrite, pair: number): number {
    const source = donor?.source;
    if (!source || donor.mean || !replaces(write) || source.pairOf(pair) !== pair) return 0;
    const known = this.#differences.get(source.key) ?? [];
    this.#differences.set(source.key, known);
    return (known[pair] ??= firstDifference(this.#base, source, pair));
  }
}

/** The first position at which two prompts for a pair are not the same; Infinity where they are. */
function firstDifference(one: Source, other: Source, pair: number): number {
  if (one.key === other.key) return Infinity;
  const [left, right] = [one.tokens(pair), other.tokens(pair)];
  const at = left.findIndex((token, i) => token !== right[i]);
  return at < 0 ? Infinity : at;
}
