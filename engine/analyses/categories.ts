/** What the mode makes of each unit: reused, boosted, attenuated, silenced or dead; every unit is exactly one of them at an angle. */
import { z } from 'zod';
import { between } from '../base/schema.ts';
import { gateParameter } from '../models/adapters/gated.ts';
import type { ClassifierModel } from '../models/classifier.ts';
import type { Tensors } from '../models/parameters.ts';
import type { Analysis } from './analysis.ts';
import { Forward, nearestMode, Passes } from './forward.ts';
import { anglesFor, form, formFact, formOf, ownAngles, part } from './options.ts';
import { ground, ImageSets } from './scoring.ts';
import { firingOf, firingSums, layersOf, requireUnits, unitFacts, unitLabels } from './units.ts';

const options = z.strictObject({
  angles: ownAngles,
  form: form('hard'),
  part,
  tolerance: between(0, 1).default(0.05).meta({ description: 'how far from 1 the gain of a reused unit may be' }),
});

export const categoryNames = ['reused', 'boosted', 'attenuated', 'silenced', 'dead'] as const;

/** What a unit is. @param firings on how many images it is active in the base and in the mode */
export function categoryOf(
  { base, mode }: { base: number; mode: number },
  gain: number,
  tolerance: number,
): (typeof categoryNames)[number] {
  if (base === 0 && mode === 0) return 'dead';
  if (mode === 0) return 'silenced';
  if (gain > 1 + tolerance) return 'boosted';
  return gain < 1 - tolerance ? 'attenuated' : 'reused';
}

export const categories: Analysis<typeof options> = {
  id: 'categories',
  version: 1,
  title: 'units reused, boosted, attenuated, silenced and dead in the mode',
  models: { least: 1, most: 1, adapter: 'any' },
  options,
  canonical: (given, [{ model }]) => ({ ...given, angles: [...anglesFor(given.angles, model)] }),
  async run({ models: [{ label, model }], options: asked }, context) {
    requireUnits('categories', label, model);
    const { tolerance } = asked;
    const angles = anglesFor(asked.angles, model);
    const form = formOf(model, asked.form);
    const units = unitLabels(model);
    const layers = layersOf(model);
    const gains = gainsOf(model);
    const passes = new Passes(context, 2 * angles.length);
    using inBase = new Forward(context.executor, model, 'base', firingSums(model, 'base'));
    using inMode = new Forward(context.executor, model, form, firingSums(model, form));
    const category: number[] = [];
    const fires: { base: number[]; mode: number[] } = { base: [], mode: [] };
    const counts: number[] = [];
    let images = 0;
    for (const angle of angles) {
      const set = new ImageSets('categories', context, asked.part, angle).for(label, model);
      images = set.count;
      const base = await firingOf(inBase, set, angle, passes, `categories: base, ${angle}°`);
      const mode = await firingOf(inMode, set, angle, passes, `categories: ${form}, ${angle}°`);
      const here = units.map((_unit, i) =>
        categoryNames.indexOf(categoryOf({ base: base.total[i], mode: mode.total[i] }, gains[i], tolerance)),
      );
      category.push(...here);
      fires.base.push(...base.total);
      fires.mode.push(...mode.total);
      for (const { begin, end } of layers)
        counts.push(...categoryNames.map((_name, which) => here.slice(begin, end).filter((one) => one === which).length));
    }
    const perUnit = ['angle', 'unit'];
    const perLayer = ['angle', 'layer', 'category'];
    const share = (state: string, firings: readonly number[]) => ({
      axes: perUnit,
      unit: '%',
      definition: `images on which the unit is active in the ${state}, of all images`,
      data: Float64Array.from(firings, (n) => (100 * n) / images),
    });
    const widths = layers.map(({ begin, end }) => end - begin);
    return {
      axes: {
        angle: { values: angles, unit: '°' },
        layer: { values: layers.map((layer) => layer.label) },
        unit: { values: units },
        category: { values: categoryNames },
      },
      measures: {
        category: {
          axes: perUnit,
          unit: '',
          definition: `what the unit is, as a place in the list ${categoryNames.join(', ')}, counted from 0`,
          data: Int32Array.from(category),
        },
        count: { axes: perLayer, unit: 'units', definition: 'units of the layer that are of the category', data: Int32Array.from(counts) },
        share: {
          axes: perLayer,
          unit: '%',
          definition: 'units of the layer that are of the category, of all its units',
          data: Float64Array.from(counts, (n, i) => (100 * n) / widths[Math.floor(i / categoryNames.length) % layers.length]),
        },
        threshold: {
          axes: perUnit,
          unit: '',
          definition: 'τ of the unit, in a context-conditioned adapter that of the mode nearest to the angle; NaN without gates',
          data: Float64Array.from(angles.flatMap((angle) => thresholdsOf(model, angle))),
        },
        gain: { axes: ['unit'], unit: '', definition: 'γ of the unit; 1 where the adapter has no gains', data: Float64Array.from(gains) },
        base: share('base', fires.base),
        mode: share('mode', fires.mode),
      },
      facts: {
        ...unitFacts(label, model),
        ...ground(context, { ...asked, angles, count: images }),
        form: formFact([model], asked.form),
        tolerance,
        dead: 'active on no image, in neither the base nor the mode',
        silenced: 'active on some image in the base, on none in the mode',
        boosted: `active in the mode on some image, with a gain above ${1 + tolerance}`,
        attenuated: `active in the mode on some image, with a gain below ${1 - tolerance}, negative gains included`,
        reused: 'active in the mode on some image, with a gain between these',
      },
    };
  },
};

/** γ of every unit: 1 where the adapter has no gains. */
export function gainsOf(model: ClassifierModel): number[] {
  return perLayer(model, (layer, width, { [gateParameter(layer, 'gain')]: gains }) => gains ?? new Float32Array(width).fill(1));
}

/** τ of every unit at an angle: NaN where the adapter has no gates. */
export function thresholdsOf(model: ClassifierModel, angle: number): number[] {
  const { adapter } = model;
  return perLayer(model, (layer, width, parameters) => {
    const own = parameters[gateParameter(layer, 'threshold')] ?? new Float32Array(width).fill(NaN);
    const context = parameters[gateParameter(layer, 'context')];
    if (!adapter || !context) return own;
    const mode = nearestMode(adapter, angle);
    return own.map((threshold, unit) => threshold + context[mode * width + unit]);
  });
}

type Optional = Readonly<Record<string, Tensors[string] | undefined>>;

function perLayer(
  { widths, adapter }: ClassifierModel,
  values: (layer: number, width: number, parameters: Optional) => Float32Array,
): number[] {
  return widths.slice(1, -1).flatMap((width, layer) => [...values(layer, width, adapter?.parameters ?? {})]);
}
