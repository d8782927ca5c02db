/** How far the units active at one angle are those active at another, on the same images. */
import { z } from 'zod';
import { UserError } from '../base/errors.ts';
import { between } from '../base/schema.ts';
import type { Analysis } from './analysis.ts';
import { Forward, Passes, type Form } from './forward.ts';
import { angles, form, formFact, formOf, part } from './options.ts';
import { ground, ImageSets } from './scoring.ts';
import { activity, layersOf, requireUnits, unitFacts } from './units.ts';

const options = z.strictObject({
  angles: angles([0, 45], 'the two angles, in degrees, whose active units are compared', { least: 2, most: 2 }),
  form: form('hard'),
  part,
  share: between(0, 100)
    .default(50)
    .meta({ description: 'a unit is of the population at an angle when it is active on more than this share of the images', unit: '%' }),
});

/** |A ∩ B| / |A ∪ B|; two empty sets are the same set: 1. */
const jaccard = (both: number, either: number): number => (either === 0 ? 1 : both / either);

export const overlap: Analysis<typeof options> = {
  id: 'overlap',
  version: 1,
  title: 'overlap of the units active at two angles, image by image and over all images',
  models: { least: 1, most: 1, adapter: 'any' },
  options,
  async run({ models: [{ label, model }], options: asked }, context) {
    requireUnits('overlap', label, model);
    const layers = layersOf(model);
    const units = layers[layers.length - 1].end;
    const [one, other] = asked.angles.map((angle) => new ImageSets('overlap', context, asked.part, angle).for(label, model));
    if (one.count !== other.count)
      throw new UserError('overlap: data', 'must have the same images at both angles', [one.count, other.count]);
    const states: Form[] = ['base', formOf(model, asked.form)];
    const passes = new Passes(context, states.length);
    const byImage: number[] = [];
    const population: number[] = [];
    for (const state of states) {
      using forward = new Forward(context.executor, model, state, (taps) => ({ outputs: { active: activity(taps, model, state) } }));
      const sums = layers.map(() => 0);
      const fires = [new Int32Array(units), new Int32Array(units)];
      await passes.over(`overlap: ${state}`, one, (begin, end) => {
        const [a, b] = [one, other].map((set, i) => forward.run(set, begin, end, asked.angles[i]).active.data);
        for (let row = 0; row < end - begin; row++) {
          const at = row * units;
          let [allBoth, allEither] = [0, 0];
          layers.forEach((layer, i) => {
            if (layer.label === 'all') {
              sums[i] += jaccard(allBoth, allEither);
              return;
            }
            let [both, either] = [0, 0];
            for (let unit = layer.begin; unit < layer.end; unit++) {
              both += a[at + unit] * b[at + unit];
              either += Math.max(a[at + unit], b[at + unit]);
              fires[0][unit] += a[at + unit];
              fires[1][unit] += b[at + unit];
            }
            sums[i] += jaccard(both, either);
            allBoth += both;
            allEither += either;
          });
        }
      });
      byImage.push(...sums.map((sum) => sum / one.count));
      const [inOne, inOther] = fires.map((count) => Array.from(count, (n) => 100 * n > asked.share * one.count));
      for (const { begin, end } of layers) {
        const range = Array.from({ length: end - begin }, (_entry, i) => begin + i);
        population.push(
          jaccard(range.filter((unit) => inOne[unit] && inOther[unit]).length, range.filter((unit) => inOne[unit] || inOther[unit]).length),
        );
      }
    }
    const axes = ['state', 'layer'];
    return {
      axes: { state: { values: ['base', 'mode'] }, layer: { values: layers.map((layer) => layer.label) } },
      measures: {
        jaccard: {
          axes,
          unit: '',
          definition:
            'units active at both angles, of those active at either (Jaccard), for each image; 1 where none is at either; mean over all images',
          data: Float64Array.from(byImage),
        },
        population: {
          axes,
          unit: '',
          definition: `units active at both angles on more than ${asked.share} % of all images, of those so at either angle (Jaccard); 1 where none is at either`,
          data: Float64Array.from(population),
        },
      },
      facts: {
        ...unitFacts(label, model),
        ...ground(context, { ...asked, count: one.count }),
        form: formFact([model], asked.form),
        share: asked.share,
      },
    };
  },
};
