/**
 * Hidden units held open or shut, as data, and a forward pass in which they are: a gate's decision set to 1 or 0; where nothing has gates, what
 * the unit gives set to 0. The rule of contributions.ts, for any number of units at once, whose states are inputs: no set needs a program of its own.
 */
import { z } from 'zod';
import { UserError } from '../base/errors.ts';
import type { Feeds } from '../execute/executor.ts';
import { substitute } from '../graph/rebuild.ts';
import type { Value } from '../graph/value.ts';
import { adapterOf } from '../models/adapters/index.ts';
import type { ClassifierModel } from '../models/classifier.ts';
import { less, subtract, where } from '../ops/index.ts';
import type { Form, HiddenLayer, Taps } from './forward.ts';
import { unitLabels } from './units.ts';

export const FORCED_OPEN = "open: the decision of the unit's gate set to 1; shut: set to 0";
export const FORCED_SHUT = 'shut: the output of the unit set to 0; nothing here has gates that could be opened';

const unit = z.string('must be a unit, such as L0U17').regex(/^L\d+U\d+$/, 'must be a unit, such as L0U17');
const state = z.enum(['open', 'shut'], 'must be "open" or "shut"');
const RULE = 'must be a unit and its state, such as L0U17=shut';

/** `{ unit: 'L0U17', state: 'shut' }`; a text says the same as `L0U17=shut`. */
export const forcedUnit = z.union(
  [
    z.strictObject({ unit, state }),
    z
      .string()
      .regex(/^L\d+U\d+=(open|shut)$/)
      .transform((text) => {
        const [unit, state] = text.split('=') as [string, 'open' | 'shut'];
        return { unit, state };
      }),
  ],
  RULE,
);

export type ForcedUnit = z.output<typeof forcedUnit>;

export const forcedUnits = z
  .array(forcedUnit, 'must be a list of units and their states')
  .max(100_000, 'must be at most 100000 units')
  .refine((given) => new Set(given.map((one) => one.unit)).size === given.length, 'must name each unit once');

/** What is fed for a unit that is let be. */
const FREE = -1;

const inputOf = (layer: number): string => `forced.${layer}`;

export const isGated = ({ adapter }: ClassifierModel, form: Form): boolean =>
  form !== 'base' && adapter !== undefined && adapterOf(adapter.id).gated;

/** The same values with units held as the inputs `forced.<layer>` say, [width] each: 1 open, 0 shut, below 0 let be. */
export function forcible(taps: Taps, form: Form): Taps {
  const { graph } = taps;
  return taps.layers.reduce((now, { pre }, layer) => {
    const own = now.layers[layer];
    const held = graph.input(inputOf(layer), [pre.shape[1]]);
    const free = less(held, 0);
    const site = own.decision ?? (form === 'base' ? own.post : own.out);
    const after = replaced(now, layer, new Map([[site, where(free, site, held)]]));
    if (!own.logit) return after;
    // So that whoever asks whether a gate is open is told.
    const logit = where(free, own.logit, subtract(held, 0.5));
    return { ...after, layers: after.layers.map((one, i) => (i === layer ? { ...one, logit } : one)) };
  }, taps);
}

/** Values of a layer and of those behind it, recomputed. */
function replaced(taps: Taps, first: number, replacements: ReadonlyMap<Value, Value>): Taps {
  const names = taps.layers.map((layer, i) => (i < first ? [] : (Object.keys(layer) as (keyof HiddenLayer)[])));
  const before = names.flatMap((own, i) => own.map((name) => taps.layers[i][name]!));
  const [logits, ...after] = substitute([taps.logits, ...before], replacements);
  const layers = names.map((own, i) => ({ ...taps.layers[i], ...Object.fromEntries(own.map((name) => [name, after.shift()!])) }));
  return { ...taps, logits, layers };
}

/**
 * What to feed so that these units are held, and the others not.
 * @param place for errors @throws UserError for a unit the model does not have, or one to be opened where nothing has gates
 */
export function forcedFeeds(place: string, model: ClassifierModel, form: Form, units: readonly ForcedUnit[]): Feeds {
  checkForced(place, model, form, units);
  return heldFeeds(model, form, units);
}

/** The same for models that need not have the units, or not the gates: units they have not do not matter, and without gates all are open. */
export function heldFeeds(model: ClassifierModel, form: Form, units: readonly ForcedUnit[]): Feeds {
  const { widths } = model;
  const gated = isGated(model, form);
  const held = widths.slice(1, -1).map((width) => new Float32Array(width).fill(FREE));
  for (const { unit, state } of units) {
    const { layer, index } = placeOf(unit);
    if (index < (held[layer]?.length ?? 0) && (gated || state === 'shut')) held[layer][index] = Number(state === 'open');
  }
  return Object.fromEntries(held.map((data, layer) => [inputOf(layer), { data, shape: [data.length] }]));
}

export function checkForced(place: string, model: ClassifierModel, form: Form, units: readonly ForcedUnit[]): void {
  const known = new Set(unitLabels(model));
  for (const { unit, state } of units) {
    if (!known.has(unit))
      throw new UserError(`${place}: units`, `must be of the model, whose hidden widths are ${model.widths.slice(1, -1).join(', ')}`, unit);
    if (state === 'open' && !isGated(model, form))
      throw new UserError(`${place}: units`, 'must be shut, since nothing here has gates that could be opened', unit);
  }
}

/** In the order of the units. */
export const inOrder = (units: readonly ForcedUnit[]): ForcedUnit[] =>
  [...units].sort((a, b) => {
    const [one, other] = [placeOf(a.unit), placeOf(b.unit)];
    return one.layer - other.layer || one.index - other.index;
  });

function placeOf(label: string): { layer: number; index: number } {
  const [layer, index] = label.slice(1).split('U').map(Number);
  return { layer, index };
}
