/**
 * An intervention is data: what is written where in a forward of a model, from which donor. It can be stored, sent and compared; how it is run is
 * for the runners (wholeRunner.ts, plannedRunner.ts), which give the same answer.
 *
 * Several writes are one intervention on a set of sites at once. A site that lies downstream of another write is first computed with that write in
 * place; its own writes then replace what they name and nothing else (Geiger et al. 2021, arXiv:2106.02997). Writes to one site follow in order.
 */
import { z } from 'zod';
import { UserError } from '../base/errors.ts';
import { parseWith } from '../base/schema.ts';
import { isReading } from '../models/sites.ts';
import { arms, type Arm, type PairSet } from '../tasks/pairs.ts';

export type { Arm };

/**
 * Where in the prompt: the position that is read, that of the token which differs (`content`), every one, those of a role, a named mark of the
 * pairs, or given ones. What a position of a pair takes from other prompts (mean, resample) comes from the same place there: read from read, the
 * k-th of a role from the k-th (trap T4 of *How Alignment Routes*).
 */
export type Positions = 'read' | 'content' | 'all' | { readonly role: string } | { readonly mark: string } | readonly number[];

/** Where a value comes from. */
export type Donor =
  /** The same site and position on another prompt of the same pair (or on the base prompt itself, before any write). */
  | { readonly arm: Arm }
  /** Its mean over all pairs, at the same place of each. */
  | { readonly mean: Arm }
  | { readonly zero: true }
  /** Its value on the prompt of another pair, drawn without repetition from the seed of the run. */
  | { readonly resample: Arm }
  /** Its value on another prompt of the same length: tokens [length], or [pairs, length]. */
  | { readonly prompt: readonly number[] | Int32Array }
  /** Given numbers: [part], [places, part] or [pairs, places, part], where a part is what one write covers at one position. */
  | { readonly stored: Float32Array };

interface Target {
  /** Name of a site: `blocks.1.attn.hook_z`. */
  readonly site: string;
  /** Head, unit or expert; all of the site by default. */
  readonly index?: number;
  readonly positions: Positions;
}

/** What stands at the target instead of its value v. Vectors have the size of a part: d_head for one head, width for a residual. */
export type Operation =
  /** v ← donor */
  | { readonly op: 'swap'; readonly donor: Donor }
  /** v ← amount, or v ← vector */
  | { readonly op: 'set'; readonly amount?: number; readonly vector?: Float32Array }
  /** v ← amount · v */
  | { readonly op: 'scale'; readonly amount: number }
  /** v ← v + amount · vector; amount 1 by default */
  | { readonly op: 'add'; readonly vector: Float32Array; readonly amount?: number }
  /** v ← v + amount · (donor − v): 0 leaves it, 1 is a swap, more goes beyond the donor */
  | { readonly op: 'interpolate'; readonly donor: Donor; readonly amount: number }
  /**
   * With a donor (zero, mean, resample): v ← donor. With a vector: v ← v − amount · (v·u) u, u = vector/‖vector‖; amount 1, the default, removes the
   * direction, 5 turns it round (trap T8).
   */
  | { readonly op: 'ablate'; readonly donor: Donor }
  | { readonly op: 'ablate'; readonly vector: Float32Array; readonly amount?: number }
  /** v ← v + amount · ε, ε standard normal, drawn for each pair from the seed of the run */
  | { readonly op: 'noise'; readonly amount: number };

export type Write = Target & Operation;

/** Where path patching reads and writes: the input of a head by `blocks.2.attn.hook_q` and so on, of an MLP by `blocks.2.mlp.hook_pre`, … */
export interface Receiver {
  readonly site: string;
  readonly index?: number;
  /** All by default. */
  readonly positions?: Positions;
}

export interface Intervention {
  /** Names it in results; unique among those of a run. */
  readonly id: string;
  readonly writes: readonly Write[];
  /**
   * Path patching (Wang et al. 2022; Goldowsky-Dill et al. 2023): the writes count only for what reaches these together. They are made while all
   * other heads stay as on the base prompt; what then stands at the receivers is written to a base run, which is measured.
   */
  readonly receivers?: readonly Receiver[];
  /** Of path patching: whether MLPs on the way answer to the writes (default) or stay as on the base prompt (the strictly direct path). */
  readonly mlps?: 'recompute' | 'freeze';
  /** Of generation: whether the writes are made in the prompt only (default), or at the last position of every later step too (trap T16). */
  readonly lifetime?: 'prompt' | 'persistent';
}

const whole = (rule: string) => z.number(rule).int(rule).min(0, rule);
const finite = z.number('must be a finite number');
const floats = z.union(
  [z.instanceof(Float32Array), z.array(z.number()).transform((values) => Float32Array.from(values))],
  'must be a list of numbers',
);
const arm = z.enum(arms, `must be one of ${arms.join(', ')}`);

const positions = z.union(
  [
    z.enum(['read', 'content', 'all']),
    z.strictObject({ role: z.string() }),
    z.strictObject({ mark: z.string() }),
    z.array(z.number().int().min(0)).min(1),
  ],
  'must be "read", "content", "all", {"role": name}, {"mark": name} or a list of positions',
);

const donor = z.union(
  [
    z.strictObject({ arm }),
    z.strictObject({ mean: arm }),
    z.strictObject({ zero: z.literal(true) }),
    z.strictObject({ resample: arm }),
    z.strictObject({ prompt: z.union([z.instanceof(Int32Array), z.array(z.number().int().min(0)).min(1)]) }),
    z.strictObject({ stored: floats }),
  ],
  'must be {"arm": …}, {"mean": …}, {"zero": true}, {"resample": …}, {"prompt": tokens} or {"stored": numbers}',
);

const target = {
  site: z.string('must be the name of a site'),
  index: whole('must be an integer ≥ 0').optional(),
  positions,
};

const write = z.discriminatedUnion(
  'op',
  [
    z.strictObject({ ...target, op: z.literal('swap'), donor }),
    z
      .strictObject({ ...target, op: z.literal('set'), amount: finite.optional(), vector: floats.optional() })
      .refine(({ amount, vector }) => (amount === undefined) !== (vector === undefined), 'must have an amount or a vector'),
    z.strictObject({ ...target, op: z.literal('scale'), amount: finite }),
    z.strictObject({ ...target, op: z.literal('add'), vector: floats, amount: finite.optional() }),
    z.strictObject({ ...target, op: z.literal('interpolate'), donor, amount: finite }),
    z
      .strictObject({ ...target, op: z.literal('ablate'), donor: donor.optional(), vector: floats.optional(), amount: finite.optional() })
      .refine(({ donor, vector }) => (donor === undefined) !== (vector === undefined), 'must have a donor or a vector')
      .refine(({ donor, amount }) => donor === undefined || amount === undefined, 'must have an amount only with a vector'),
    z.strictObject({ ...target, op: z.literal('noise'), amount: finite }),
  ],
  'must have an op: swap, set, scale, add, interpolate, ablate or noise',
);

/** One intervention, as it comes from a file or another process. */
export const interventionSchema = z.strictObject({
  id: z.string('must be a name').min(1, 'must be a name'),
  writes: z.array(write).min(1, 'must be at least one write'),
  receivers: z
    .array(z.strictObject({ site: target.site, index: target.index, positions: positions.optional() }))
    .min(1, 'must be at least one receiver')
    .optional(),
  mlps: z.enum(['recompute', 'freeze'], 'must be "recompute" or "freeze"').optional(),
  lifetime: z.enum(['prompt', 'persistent'], 'must be "prompt" or "persistent"').optional(),
});

/** @throws UserError naming the field, the rule and the value */
export const parseIntervention = (value: unknown): Intervention => parseWith(interventionSchema, 'intervention', value) as Intervention;

/** What a model's site is like for a write: how many indices it has, and how many numbers each has at one position. */
export interface SiteSize {
  readonly entries: number;
  readonly block: number;
}

/** The numbers that a write or receiver covers at one position. */
export const partSize = ({ entries, block }: SiteSize, index: number | undefined): number =>
  index === undefined ? entries * block : block;

type SizeOf = (site: string) => SiteSize | undefined;

/** @throws UserError naming `place`, for a site the model does not have, an index or a position out of range */
export function checkTarget(place: string, { site, index, positions }: Receiver, { length }: PairSet, sizeOf: SizeOf): SiteSize {
  const size = sizeOf(site);
  if (!size) throw new UserError(`${place}: site`, 'must be a site of the model that has a value for every prompt and position', site);
  if (index !== undefined && !(Number.isInteger(index) && index >= 0 && index < size.entries))
    throw new UserError(`${place}: index`, `must be an integer in [0, ${size.entries - 1}] at ${site}`, index);
  if (Array.isArray(positions)) {
    const given = positions as readonly number[];
    const wrong = given.find((position) => !(Number.isInteger(position) && position >= 0 && position < length));
    if (wrong !== undefined) throw new UserError(`${place}: positions`, `must be integers in [0, ${length - 1}]`, wrong);
    if (given.length === 0 || new Set(given).size < given.length)
      throw new UserError(`${place}: positions`, 'must be at least one, each named once', given);
  }
  return size;
}

/**
 * Holds interventions against the sites of a model and a set of pairs; donors and positions that depend on single pairs are checked where they
 * are resolved (places.ts, donors.ts).
 * @param sizeOf the size of a site for prompts of this length, undefined for one the model does not have
 * @throws UserError naming the intervention, the field, the rule and the value
 */
export function checkInterventions(interventions: readonly Intervention[], pairs: PairSet, sizeOf: SizeOf): void {
  const seen = new Set<string>();
  for (const { id, writes, receivers } of interventions) {
    if (seen.has(id)) throw new UserError('intervention: id', 'must be another than those of the rest', id);
    seen.add(id);
    writes.forEach((write, i) => {
      const place = `intervention ${id}: writes.${i}`;
      if (isReading(write.site))
        throw new UserError(`${place}: site`, 'must be one that something depends on: this can only be read', write.site);
      checkNumbers(place, write, partSize(checkTarget(place, write, pairs, sizeOf), write.index));
    });
    receivers?.forEach((receiver, i) => checkTarget(`intervention ${id}: receivers.${i}`, receiver, pairs, sizeOf));
  }
}

function checkNumbers(place: string, write: Write, part: number): void {
  const vector = 'vector' in write ? write.vector : undefined;
  if (vector) {
    if (vector.length !== part) throw new UserError(`${place}: vector`, `must hold ${part} numbers`, vector.length);
    const wrong = vector.find((number) => !Number.isFinite(number));
    if (wrong !== undefined) throw new UserError(`${place}: vector`, 'must hold finite numbers', wrong);
    if (write.op === 'ablate' && vector.every((number) => number === 0))
      throw new UserError(`${place}: vector`, 'must have a direction', 'zeros');
  }
  const amount = 'amount' in write ? write.amount : undefined;
  if (amount !== undefined && !Number.isFinite(amount)) throw new UserError(`${place}: amount`, 'must be a finite number', amount);
}
