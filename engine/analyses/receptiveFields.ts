/**
 * What single hidden units look for: the gradient of each one's pre-activation with respect to the pixels.
 *
 * Of the first hidden layer it is the unit's weights, the same for every image. Deeper units are linearised where they give most: the mean of
 * their gradients on these images. Hard decisions are constants to a derivative; soft ones are not.
 */
import { z } from 'zod';
import { wholeBetween } from '../base/schema.ts';
import { substitute } from '../graph/rebuild.ts';
import { concat, gradient, oneHot, stopGradient } from '../ops/index.ts';
import type { ImageSet } from '../tasks/dataReference.ts';
import type { Analysis } from './analysis.ts';
import { Forward, overChunks, ROWS, type Form, type Outputs, type Taps } from './forward.ts';
import { angle, form, formFact, formOf } from './options.ts';
import { firstOf, ground, ImageSets } from './scoring.ts';
import { Strongest } from './strongest.ts';
import { chunksOf } from './unitEffects.ts';
import { requireUnits, unitLabels } from './units.ts';

const options = z.strictObject({
  angle: angle(45, 'degrees the images are turned by'),
  form: form('soft'),
  images: wholeBetween(1, 1_000_000).default(2000).meta({ description: 'how many test images, in order' }),
  top: wholeBetween(1, 10_000)
    .default(100)
    .meta({ description: 'on how many of them a deeper unit is linearised: those where it gives most' }),
});

export const receptiveFields: Analysis<typeof options> = {
  id: 'receptiveFields',
  version: 1,
  title: 'what every neuron looks for: the gradient of its pre-activation in pixels',
  models: { least: 1, most: 1, adapter: 'optional' },
  options,
  async run({ models: [{ label, model }], options: asked }, context) {
    requireUnits('receptiveFields', label, model);
    const form = formOf(model, asked.form);
    const set = firstOf(new ImageSets('receptiveFields', context, 'test', asked.angle).for(label, model), asked.images);
    const hidden = model.widths.slice(1, -1);
    const units = unitLabels(model);
    const pixels = set.height * set.width;
    const data = new Float32Array(units.length * pixels);
    const total = units.length + 1;
    const strongest = new Strongest(units.length, Math.min(asked.top, set.count));
    if (hidden.length > 1) {
      using forward = new Forward(context.executor, model, form, ({ layers }) => ({
        outputs: {
          out: concat(
            layers.map(({ out }) => out),
            1,
          ),
          pre: concat(
            layers.map(({ pre }) => pre),
            1,
          ),
        },
      }));
      await overChunks(context, set, { stage: `receptiveFields: ${label}`, done: 0, total }, (begin, end) => {
        const { out, pre } = forward.run(set, begin, end, asked.angle);
        for (let row = begin, at = 0; row < end; row++)
          for (let unit = 0; unit < units.length; unit++, at++) strongest.offer(unit, row, out.data[at], pre.data[at]);
      });
    }

    let first = 0;
    for (const [layer, width] of hidden.entries()) {
      using forward = new Forward(context.executor, model, form, slopesOf(layer, form));
      // Any image will do where all have the same slope.
      const places = Array.from({ length: width }, (_entry, unit) => (layer === 0 ? [0] : strongest.of(first + unit)));
      const pairs = places.flatMap((rows, unit) => rows.map((row) => ({ unit, row, share: 1 / rows.length })));
      const sums = new Float64Array(width * pixels);
      for (const { begin, end } of chunksOf(pairs.length)) {
        const chunk = pairs.slice(begin, end);
        const unit = { data: Int32Array.from(chunk, (pair) => pair.unit), shape: [chunk.length] };
        const { data: slopes } = forward.run(rowsOf(set, chunk), 0, chunk.length, asked.angle, { unit }).slope;
        chunk.forEach((pair, i) => {
          for (let pixel = 0; pixel < pixels; pixel++) sums[pair.unit * pixels + pixel] += slopes[i * pixels + pixel] * pair.share;
        });
        context.progress({ stage: `receptiveFields: ${label}, layer ${layer + 1}`, done: 1 + first + chunk.at(-1)!.unit, total });
        await context.breathe();
      }
      data.set(sums, first * pixels);
      first += width;
    }
    const grid = (length: number) => ({ values: Array.from({ length }, (_entry, i) => i) });
    return {
      axes: { unit: { values: units }, y: grid(set.height), x: grid(set.width) },
      measures: {
        field: {
          axes: ['unit', 'y', 'x'],
          unit: '',
          definition:
            'slope of what goes into the unit, in each pixel; of the first hidden layer its weights, of deeper ones the mean over the images on which ' +
            'the unit gives the next layer most (by size; where that is equal, by what goes into it)',
          data,
        },
      },
      facts: {
        ...ground(context, { part: 'test', count: set.count, angles: [asked.angle] }),
        model: label,
        form: formFact([model], asked.form),
        linearised: `on ${strongest.top} of ${set.count} images`,
        decisions: form === 'hard' ? 'constants' : form === 'soft' ? 'differentiated' : 'none',
      },
    };
  },
};

/** Of one unit of a layer in each row, named by the input `unit`: [rows, pixels]. */
const slopesOf =
  (layer: number, form: Form) =>
  ({ graph, images, layers }: Taps): Outputs => {
    const decisions = form === 'hard' ? layers.slice(0, layer).flatMap(({ decision }) => decision ?? []) : [];
    // One after the other: what a decision is made of has those before it in it.
    const pre = decisions.reduce(
      ({ value, later: [own, ...rest] }) => {
        const [changed, ...others] = substitute([value, ...rest], new Map([[own, stopGradient(own)]]));
        return { value: changed, later: others };
      },
      { value: layers[layer].pre, later: decisions },
    ).value;
    const seed = oneHot(graph.input('unit', [ROWS], 'int32'), pre.shape[1] as number);
    return { outputs: { slope: gradient(pre, [images], seed)[0] } };
  };

/** Images by their rows, in the order asked. */
function rowsOf(set: ImageSet, chosen: readonly { readonly row: number }[]): ImageSet {
  const pixels = set.height * set.width;
  const images = new Float32Array(chosen.length * pixels);
  chosen.forEach(({ row }, i) => images.set(set.images.subarray(row * pixels, (row + 1) * pixels), i * pixels));
  return { ...set, count: chosen.length, images, labels: Int32Array.from(chosen, ({ row }) => set.labels[row]) };
}
