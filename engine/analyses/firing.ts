/** Which neurons fire: how often each unit is active on the images of each class, in the base and in the mode. */
import { z } from 'zod';
import type { Findings } from '../base/findings.ts';
import type { Analysis } from './analysis.ts';
import { Forward, Passes } from './forward.ts';
import { anglesFor, form, formFact, formOf, ownAngles, part } from './options.ts';
import { ground, ImageSets } from './scoring.ts';
import { activeShares, firingOf, firingSums, layersOf, requireUnits, unitFacts, unitLabels, type Firing } from './units.ts';

const options = z.strictObject({ angles: ownAngles, form: form('hard'), part });

export const firing: Analysis<typeof options> = {
  id: 'firing',
  version: 1,
  title: 'which neurons fire for which class, in the base and in the mode',
  models: { least: 1, most: 1, adapter: 'any' },
  options,
  canonical: (given, [{ model }]) => ({ ...given, angles: [...anglesFor(given.angles, model)] }),
  async run({ models: [{ label, model }], options: asked }, context) {
    requireUnits('firing', label, model);
    const angles = anglesFor(asked.angles, model);
    const form = formOf(model, asked.form);
    const passes = new Passes(context, 2 * angles.length);
    using inBase = new Forward(context.executor, model, 'base', firingSums(model, 'base'));
    using inMode = new Forward(context.executor, model, form, firingSums(model, form));
    const measured: Record<'base' | 'mode', Firing[]> = { base: [], mode: [] };
    let classes: readonly string[] = [];
    for (const angle of angles) {
      const set = new ImageSets('firing', context, asked.part, angle).for(label, model);
      classes = set.classes;
      measured.base.push(await firingOf(inBase, set, angle, passes, `firing: base, ${angle}°`));
      measured.mode.push(await firingOf(inMode, set, angle, passes, `firing: ${form}, ${angle}°`));
    }
    const units = unitLabels(model);
    const layers = layersOf(model).map((layer) => layer.label);
    const measures = (state: 'base' | 'mode', suffix: string): Findings['measures'] => ({
      [state]: {
        axes: ['angle', 'class', 'unit'],
        unit: '%',
        definition: `images of the class on which the unit is active in the ${state}, of all images of the class; NaN for a class without images`,
        data: Float64Array.from(
          measured[state].flatMap(({ byClass, ofClass }) =>
            Array.from(byClass, (n, i) => (100 * n) / ofClass[Math.floor(i / units.length)]),
          ),
        ),
      },
      [`output${suffix}`]: {
        axes: ['angle', 'unit'],
        unit: '',
        definition: `what the unit gives the next layer in the ${state}, mean over all images`,
        data: Float64Array.from(measured[state].flatMap(({ given, count }) => Array.from(given, (sum) => sum / count))),
      },
      [`active${suffix}`]: {
        axes: ['angle', 'layer'],
        unit: '%',
        definition: `units active in the ${state}, of the units of the layer, mean over all images`,
        data: Float64Array.from(measured[state].flatMap((one) => activeShares(model, one))),
      },
    });
    const all = { ...measures('base', 'Base'), ...measures('mode', 'Mode') };
    return {
      axes: {
        angle: { values: angles, unit: '°' },
        class: { values: classes },
        unit: { values: units },
        layer: { values: layers },
      },
      measures: all,
      facts: {
        ...unitFacts(label, model),
        ...ground(context, { ...asked, angles, count: measured.base[0].count }),
        form: formFact([model], asked.form),
        ...activeFacts(all, angles, layers),
      },
    };
  },
};

/** The active shares as single figures: `active.mode.45°.L0` in %. */
function activeFacts(
  { activeBase, activeMode }: Findings['measures'],
  angles: readonly number[],
  layers: readonly string[],
): Findings['facts'] {
  return Object.fromEntries(
    angles.flatMap((angle, i) =>
      layers.flatMap((layer, j) => [
        [`active.base.${angle}°.${layer}`, activeBase.data[i * layers.length + j]],
        [`active.mode.${angle}°.${layer}`, activeMode.data[i * layers.length + j]],
      ]),
    ),
  );
}
