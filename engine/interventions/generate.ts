/**
 * Greedy continuations under an intervention, by forwards of growing prompts. What donors give is found once, on the prompts as they were; the writes
 * are then made again in every forward, at the positions of the prompt they were made at.
 *
 * A persistent intervention is also made at every position that was generated, with what its donor gives at its last place: as a hook that is called
 * with one position at a time, keys and values of earlier ones being kept (trap T16 of *How Alignment Routes*).
 */
import { UserError } from '../base/errors.ts';
import { prompts, type PairSet } from '../tasks/pairs.ts';
import type { Runner, RunOptions } from './effects.ts';
import type { Arm, Donor, Intervention, Write } from './intervention.ts';
import { placesEach, placesOf, type Places } from './places.ts';

export interface GenerateOptions extends Pick<RunOptions, 'seed' | 'context'> {
  /** Tokens to add to every prompt. */
  readonly steps: number;
  /** Positions the model has. */
  readonly positions: number;
}

/** A write with its donor's numbers, and where it is made in every pair. */
interface Settled {
  readonly write: Write;
  readonly places: Places;
  /** Numbers at one place of all pairs, [pairs, part]; undefined for writes without a donor. */
  readonly given: ((place: number) => Float32Array) | undefined;
}

/** Tokens that follow the prompts of an arm, int32 [pairs, steps]. @throws UserError for a prompt that would grow beyond the model's positions */
export async function continueGreedily(
  runner: Runner,
  pairs: PairSet,
  base: Arm,
  intervention: Intervention | undefined,
  { steps, positions, seed = 0, context = {} }: GenerateOptions,
): Promise<Int32Array> {
  if (!Number.isInteger(steps) || steps < 1) throw new UserError('generate: steps', 'must be a positive integer', steps);
  const longest = Math.max(...pairs.read) + 1 + steps;
  if (longest > positions)
    throw new UserError('generate: steps', `must leave prompts within the ${positions} positions of the model`, steps);
  if (intervention?.receivers)
    throw new UserError('generate: receivers', 'must not be there: a path is measured, not generated from', intervention.id);
  const watched = { ...(context.signal && { signal: context.signal }), ...(context.breathe && { breathe: context.breathe }) };
  const settled = await Promise.all((intervention?.writes ?? []).map((write, i) => settle(runner, pairs, base, write, i, seed)));
  const generated = new Int32Array(pairs.pairs * steps);
  for (let step = 0; step < steps; step++) {
    const grown = grow(pairs, base, generated, steps, step, longest);
    const writes = settled.flatMap((own) => writesAt(own, pairs, step, intervention!.lifetime === 'persistent'));
    const marked: PairSet = { ...grown, marks: Object.fromEntries(writes.map(({ at }, i) => [`place ${i}`, at])) };
    const interventions =
      writes.length === 0
        ? []
        : [{ id: 'written', writes: writes.map(({ write }, i): Write => ({ ...write, positions: { mark: `place ${i}` } })) }];
    const effects = await runner.run(marked, base, interventions, { metrics: ['argmax'], seed, context: watched });
    const answers = interventions.length === 0 ? effects.base : effects.metrics;
    answers.forEach((token, pair) => (generated[pair * steps + step] = token));
  }
  return generated;
}

async function settle(runner: Runner, pairs: PairSet, base: Arm, write: Write, number: number, seed: number): Promise<Settled> {
  const place = `generate: writes.${number}`;
  const places = placesOf(place, write.positions, pairs);
  if (write.op === 'noise') throw new UserError(`${place}: op`, 'must not be noise, which has no value to be made again', write.op);
  if (!('donor' in write) || !write.donor) return { write, places, given: undefined };
  const { site, index, positions, donor } = write;
  const target = { site, positions, ...(index !== undefined && { index }) };
  const count = placesEach(place, places);
  // A site that was swapped for its donor is what the donor gives.
  const effects = await runner.run(pairs, base, [{ id: 'donor', writes: [{ ...target, op: 'swap', donor }] }], { observe: [target], seed });
  const all = effects.observed[0][0];
  const part = all.length / (pairs.pairs * count);
  const given = (k: number) => {
    const own = new Float32Array(pairs.pairs * part);
    for (let pair = 0; pair < pairs.pairs; pair++)
      own.set(all.subarray((pair * count + k) * part, (pair * count + k + 1) * part), pair * part);
    return own;
  };
  return { write, places, given };
}

/** The writes of one forward, each with its position in every pair. */
function writesAt(
  { write, places, given }: Settled,
  pairs: PairSet,
  step: number,
  persistent: boolean,
): { write: Write; at: Int32Array }[] {
  const count = placesEach('generate: writes', places);
  const of = (place: number): Write => {
    if (!given) return write;
    const donor: Donor = { stored: given(place) };
    return { ...write, donor } as Write;
  };
  const made = Array.from({ length: count }, (_entry, k) => ({ write: of(k), at: Int32Array.from(places, (own) => own[k]) }));
  const later = Array.from({ length: persistent ? step : 0 }, (_entry, i) => ({
    write: of(count - 1),
    at: pairs.read.map((read) => read + 1 + i),
  }));
  return [...made, ...later];
}

/** The prompts with what was generated so far after the position that was read; what stands behind it nobody sees. */
function grow(pairs: PairSet, base: Arm, generated: Int32Array, steps: number, step: number, length: number): PairSet {
  const { read } = pairs;
  const before = prompts(pairs, base);
  const tokens = new Int32Array(pairs.pairs * length);
  for (let pair = 0; pair < pairs.pairs; pair++) {
    tokens.set(before.subarray(pair * pairs.length, pair * pairs.length + read[pair] + 1), pair * length);
    tokens.set(generated.subarray(pair * steps, pair * steps + step), pair * length + read[pair] + 1);
  }
  const { roles: _roles, content: _content, labels: _labels, ...rest } = pairs;
  const role = pairs.roles?.length === pairs.length ? pairs.roles : undefined;
  return {
    ...rest,
    length,
    arms: { sensitive: tokens, control: tokens, ...(base !== 'sensitive' && base !== 'control' && { [base]: tokens }) },
    read: read.map((position) => position + step),
    // What is generated has the role of the last position.
    ...(role && { roles: Int32Array.from({ length }, (_entry, i) => role[Math.min(i, role.length - 1)]) }),
  };
}
