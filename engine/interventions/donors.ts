/**
 * Where the values of donors come from, pair by pair: which prompts have to be run for them, and which of their numbers are taken.
 *
 * A place of one pair takes from the same place of another (places.ts). The prompts themselves are run by whoever asks, in the chunks of the pairs.
 */
import { UserError } from '../base/errors.ts';
import { Random } from '../base/random.ts';
import { prompts, type PairSet } from '../tasks/pairs.ts';
import { partSize, type Arm, type Donor, type Write } from './intervention.ts';
import { Parts, siteSize, type Site } from './modelGraph.ts';
import { placesEach, type Chunk, type Places } from './places.ts';
import type { TensorData } from '../graph/program.ts';

/** A prompt for every pair: an arm of its own, another pair's, or one from outside. */
export interface Source {
  readonly key: string;
  /** The tokens that stand for a pair, [length]. */
  readonly tokens: (pair: number) => Int32Array;
  /** Whose places they have. */
  readonly pairOf: (pair: number) => number;
}

/** The value of a site on the prompts of a chunk: [rows, positions, …], or of the read position alone. */
export interface SiteValues {
  readonly tensor: TensorData;
  readonly onlyRead: boolean;
}

/** Runs prompts. @param places the positions that will be looked at, by pair */
export type Capture = (source: Source, chunk: Chunk, site: Site, places: Places) => SiteValues;

/** The same pair's prompt in an arm. */
export function armSource(pairs: PairSet, arm: Arm): Source {
  const all = prompts(pairs, arm);
  return { key: arm, tokens: (pair) => all.subarray(pair * pairs.length, (pair + 1) * pairs.length), pairOf: (pair) => pair };
}

/** Another pair's prompt in an arm: a random cyclic order, so that each is used once and none for itself (Sattolo 1986). */
function resampledSource(pairs: PairSet, arm: Arm, seed: number): Source {
  if (pairs.pairs < 2) throw new UserError('intervention: resample', 'must have another pair to draw from', `${pairs.pairs} pair`);
  const random = new Random(seed).fork('resample');
  const order = random.permutation(pairs.pairs);
  const other = new Int32Array(pairs.pairs);
  order.forEach((pair, i) => (other[pair] = order[(i + 1) % order.length]));
  const own = armSource(pairs, arm);
  return { key: `resample ${arm} ${seed}`, tokens: (pair) => own.tokens(other[pair]), pairOf: (pair) => other[pair] };
}

function promptSource(pairs: PairSet, place: string, tokens: readonly number[] | Int32Array, vocabulary: number): Source {
  const { length } = pairs;
  const all = Int32Array.from(tokens);
  if (all.length !== length && all.length !== length * pairs.pairs)
    throw new UserError(`${place}: prompt`, `must hold ${length} tokens, or as many for each of ${pairs.pairs} pairs`, all.length);
  const wrong = all.findIndex((token) => token < 0 || token >= vocabulary);
  if (wrong >= 0) throw new UserError(`${place}: prompt`, `must hold tokens in [0, ${vocabulary - 1}]`, all[wrong]);
  const each = all.length === length ? 0 : length;
  return { key: `prompt ${all.join()}`, tokens: (pair) => all.subarray(pair * each, pair * each + length), pairOf: (pair) => pair };
}

/** Gives the values of one donor: fills `into` (a part) for a row of the chunk and the k-th of its places. */
export type DonorValue = (row: number, k: number, into: Float32Array) => void;

/** The values of a donor that needs no run: fills `into` (a part) for a pair and the k-th of its places. */
type Given = (pair: number, k: number, into: Float32Array) => void;

/** All that the donor of a write needs, found before anything runs. */
export interface ResolvedDonor {
  /** What has to be run for it, unless it is given or zero. */
  readonly source?: Source;
  /** Whether it is a mean over all pairs, which are then run before the interventions. */
  readonly mean: boolean;
  /** Of donors without a source. */
  readonly given?: Given;
}

/** @throws UserError naming `place`, for a donor the pairs do not have or of another shape */
export function resolveDonor(
  place: string,
  donor: Donor,
  { pairs, places, part, seed, vocabulary }: { pairs: PairSet; places: Places; part: number; seed: number; vocabulary: number },
): ResolvedDonor {
  if ('zero' in donor) return { mean: false, given: (_pair, _k, into) => into.fill(0) };
  if ('arm' in donor) return { mean: false, source: armSource(pairs, donor.arm) };
  if ('prompt' in donor) return { mean: false, source: promptSource(pairs, place, donor.prompt, vocabulary) };
  if ('stored' in donor) return { mean: false, given: storedValues(place, donor.stored, places, part) };
  placesEach(place, places);
  return 'mean' in donor
    ? { mean: true, source: armSource(pairs, donor.mean) }
    : { mean: false, source: resampledSource(pairs, donor.resample, seed) };
}

function storedValues(place: string, stored: Float32Array, places: Places, part: number): Given {
  const { length } = stored;
  const each = places.every((own) => own.length === places[0].length) ? places[0].length : undefined;
  const [byPair, byPlace] =
    length === part
      ? [0, 0]
      : length === each! * part
        ? [0, part]
        : length === places.length * each! * part
          ? [each! * part, part]
          : [NaN, NaN];
  if (Number.isNaN(byPair)) {
    const shapes = each === undefined ? `${part}` : `${part}, ${each} × ${part} or ${places.length} × ${each} × ${part}`;
    throw new UserError(`${place}: donor`, `must hold ${shapes} numbers (part, places × part, pairs × places × part)`, length);
  }
  const wrong = stored.findIndex((number) => !Number.isFinite(number));
  if (wrong >= 0) throw new UserError(`${place}: donor`, 'must hold finite numbers', stored[wrong]);
  return (pair, k, into) => {
    const at = pair * byPair + k * byPlace;
    into.set(stored.subarray(at, at + part));
  };
}

/** A write with its site, its positions in every pair, and its donor. */
export interface ResolvedWrite {
  readonly write: Write;
  readonly site: Site;
  readonly places: Places;
  readonly part: number;
  readonly donor?: ResolvedDonor;
  /** Standard normal noise for a pair, [places, part]; of `noise` only. */
  readonly noise?: (pair: number) => Float32Array;
}

/** Means over all pairs of the parts at each place, found once for a run: [places, part]. */
export class Means {
  readonly #known: Map<string, Float32Array>;

  /** @param known of another's, as {@link entries} gives them */
  constructor(known: readonly (readonly [string, Float32Array])[] = []) {
    this.#known = new Map(known);
  }

  entries(): (readonly [string, Float32Array])[] {
    return [...this.#known];
  }

  /** @param chunks all pairs */
  find(writes: readonly ResolvedWrite[], chunks: Iterable<Chunk>, capture: Capture): void {
    const wanted = new Map<string, { write: ResolvedWrite; sums: Float64Array }>();
    for (const write of writes) {
      if (!write.donor?.mean || this.#known.has(meanKey(write))) continue;
      wanted.set(meanKey(write), { write, sums: new Float64Array(write.places[0].length * write.part) });
    }
    if (wanted.size === 0) return;
    let count = 0;
    for (const chunk of chunks) {
      count += chunk.length;
      for (const { write, sums } of wanted.values()) {
        const values = capture(write.donor!.source!, chunk, write.site, write.places);
        const parts = new Parts(write.site, values.tensor, write.write.index);
        const own = new Float32Array(write.part);
        chunk.forEach((pair, row) =>
          write.places[pair].forEach((position, k) => {
            parts.read(row, values.onlyRead ? 0 : position, own);
            own.forEach((number, i) => (sums[k * write.part + i] += number));
          }),
        );
      }
    }
    for (const [key, { sums }] of wanted)
      this.#known.set(
        key,
        Float32Array.from(sums, (sum) => sum / count),
      );
  }

  of(write: ResolvedWrite): Float32Array {
    return this.#known.get(meanKey(write))!;
  }
}

const meanKey = ({ write, site, donor }: ResolvedWrite): string =>
  `${donor!.source!.key} ${site.name} ${write.index ?? ''} ${JSON.stringify(write.positions)}`;

/** The values a write takes from its donor in one chunk; undefined for a write without a donor. */
export function donorValue(write: ResolvedWrite, chunk: Chunk, means: Means, capture: Capture): DonorValue | undefined {
  const { donor, part, site } = write;
  if (!donor) return undefined;
  if (donor.given) return (row, k, into) => donor.given!(chunk[row], k, into);
  if (donor.mean) {
    const mean = means.of(write);
    return (_row, k, into) => into.set(mean.subarray(k * part, (k + 1) * part));
  }
  const source = donor.source!;
  const values = capture(source, chunk, site, write.places);
  const parts = new Parts(site, values.tensor, write.write.index);
  return (row, k, into) => parts.read(row, values.onlyRead ? 0 : write.places[source.pairOf(chunk[row])][k], into);
}

/** Finds site, positions, donor and noise of a write. @throws UserError naming `place` */
export function resolveWrite(
  place: string,
  write: Write,
  context: { pairs: PairSet; seed: number; vocabulary: number; site: Site; places: Places; noise: (pair: number) => Random },
): ResolvedWrite {
  const { pairs, site, places } = context;
  const part = partSize(siteSize(site, pairs.length), write.index);
  const donor = 'donor' in write ? resolveDonor(place, write.donor, { ...context, part }) : undefined;
  return {
    write,
    site,
    places,
    part,
    ...(donor && { donor }),
    ...(write.op === 'noise' && {
      noise: (pair: number) => {
        const drawn = new Float32Array(places[pair].length * part);
        context.noise(pair).fillNormal(drawn, 0, 1);
        return drawn;
      },
    }),
  };
}
