/** The three tables of the panel: direct logit attribution of every head, ablation and interchange of the listed ones (methods.md P1–P3). */
import { z } from 'zod';
import { UserError } from '../../base/errors.ts';
import { byHead, headMeasure, pairsOf, published, type PublishedFindings, type PublishedModel, type Sourced } from './cells.ts';
import type { Run } from './folder.ts';
import { mustAgree, readTable, sameInAll, type Table } from './table.ts';

/** Of it are read: what the heads are of, and which were chosen. */
export const manifest = z.object({
  model_id: z.string().min(1),
  corpus: z.string().optional(),
  target: z.string().optional(),
  alpha: z.number().nullish(),
  n_layers: z.int().positive().optional(),
  n_heads: z.int().positive().optional(),
  n_pairs: z.int().positive(),
  candidate_heads: z.array(z.object({ layer: z.int(), head: z.int() })).optional(),
});
export type Manifest = z.output<typeof manifest>;

/** Sums of a thousand doubles, printed and read again. */
const ROUNDING = 1e-9;

export function attributionTable(path: string, text: string): { table: Table; layers: number; heads: number } {
  const table = readTable(path, text, ['layer', 'n_pairs', 'mean_delta_mlp', 'mean_delta_attn_total', 'mean_delta_head_0']);
  const heads = table.columns.filter((name) => /^mean_delta_head_\d+$/.test(name)).length;
  for (let head = 0; head < heads; head++)
    for (const name of [`mean_delta_head_${head}`, `head_${head}_ci_low`, `head_${head}_ci_high`])
      if (!table.columns.includes(name)) throw new UserError(`published results: ${path}: columns`, `must have ${name}`, `${heads} heads`);
  table.rows.forEach((row, i) => {
    if (row.index('layer', table.rows.length) !== i)
      throw new UserError(`published results: ${path}: row ${i + 1}, layer`, `must be ${i}`, row.text('layer'));
  });
  return { table, layers: table.rows.length, heads };
}

export function attribution(run: Run, model: PublishedModel, table: Table, about: Manifest | undefined): PublishedFindings {
  const { heads, layers } = model;
  const cells = Array.from({ length: layers * heads }, (_, cell) => cell);
  const column = (name: (head: number) => string) =>
    new Map(cells.map((cell) => [cell, table.rows[Math.floor(cell / heads)].number(name(cell % heads))]));
  const delta = column((head) => `mean_delta_head_${head}`);
  const byLayer = (name: string) => Float64Array.from(table.rows, (row) => row.number(name));
  const [mlp, attention] = [byLayer('mean_delta_mlp'), byLayer('mean_delta_attn_total')];
  for (let layer = 0; layer < layers; layer++) {
    let [sum, size] = [0, 0];
    for (let head = 0; head < heads; head++) {
      const value = delta.get(layer * heads + head)!;
      sum += value;
      size += Math.abs(value);
    }
    mustAgree(
      `${table.path}: row ${layer + 1}, mean_delta_attn_total`,
      'the sum of the heads',
      attention[layer],
      sum,
      ROUNDING * (1 + size),
    );
  }
  const total = [...delta.values(), ...mlp].reduce((sum, value) => sum + Math.abs(value), 0);
  if (total === 0) throw new UserError(`published results: ${table.path}: Σ|Δ|`, 'must not be 0, for it is divided by', total);
  const components = cells.length + layers;
  const order = cells.toSorted((one, other) => Math.abs(delta.get(other)!) - Math.abs(delta.get(one)!));
  const deltas = `${table.path}: mean_delta_head_<head>`;
  const share = new Map(cells.map((cell) => [cell, Math.abs(delta.get(cell)!) / total]));
  const of = (values: ReadonlyMap<number, number>, unit: string, definition: string, source: string) =>
    headMeasure(model, values, { unit, definition, source });
  const layerwise = (data: Float64Array, definition: string, name: string): Sourced => ({
    axes: ['layer'],
    unit: 'logits',
    definition,
    data,
    source: `${table.path}: ${name}`,
  });
  return published(
    run,
    model,
    {
      delta: of(
        delta,
        'logits',
        'direct contribution of the head to the logit difference, sensitive less control, mean over pairs',
        deltas,
      ),
      low: of(
        column((head) => `head_${head}_ci_low`),
        'logits',
        'lower bound of delta, as published (bootstrap, 200 resamples)',
        `${table.path}: head_<head>_ci_low`,
      ),
      high: of(
        column((head) => `head_${head}_ci_high`),
        'logits',
        'upper bound of delta, as published (bootstrap, 200 resamples)',
        `${table.path}: head_<head>_ci_high`,
      ),
      mlp: layerwise(mlp, 'the same of the MLP of the layer', 'mean_delta_mlp'),
      attention: layerwise(attention, 'the same of all heads of the layer', 'mean_delta_attn_total'),
      share: of(
        share,
        'share',
        '|delta| of the head over the sum of |delta| of all heads and MLPs',
        `derived from ${deltas}, mean_delta_mlp`,
      ),
      lift: of(
        new Map(cells.map((cell) => [cell, share.get(cell)! * components])),
        '',
        'share times the number of heads and MLPs: 1 is an equal share of all',
        `derived from ${deltas}, mean_delta_mlp`,
      ),
      rank: of(
        new Map(order.map((cell, i) => [cell, i + 1])),
        '',
        'place of the head by |delta| among all heads, 1 the largest',
        `derived from ${deltas}`,
      ),
    },
    { pairs: pairsOf(table), ...corpusOf(about), components },
    { listed: cells },
  );
}

export function ablation(run: Run, model: PublishedModel, path: string, text: string, about: Manifest | undefined): PublishedFindings {
  const columns = ['mean_nll_reduction', 'mean_baseline_delta', 'mean_intervened_delta'] as const;
  const table = readTable(path, text, ['layer', 'head', 'n_pairs', ...columns]);
  const rows = byHead(table, model);
  candidatesAre(rows.keys(), model, path, about);
  const gap = sameInAll(table, 'mean_baseline_delta');
  const effect = new Map<number, number>();
  for (const [cell, row] of rows) {
    effect.set(cell, row.number('mean_nll_reduction'));
    mustAgree(
      `${path}: mean_nll_reduction`,
      'baseline − intervened',
      effect.get(cell)!,
      gap - row.number('mean_intervened_delta'),
      ROUNDING * (1 + Math.abs(gap)),
    );
  }
  return published(
    run,
    model,
    {
      nllReduction: headMeasure(model, effect, {
        unit: 'nats',
        definition:
          'fall of the mean negative log likelihood of the first 5 tokens of the control continuation, after the sensitive prompt, when the head is moved against the direction at α; not when it is set to 0',
        source: `${path}: mean_nll_reduction`,
      }),
    },
    {
      pairs: pairsOf(table),
      gap,
      'source.gap': `${path}: mean_baseline_delta`,
      ...(about?.alpha != null && { alpha: about.alpha }),
      ...corpusOf(about),
    },
    { listed: rows.keys() },
  );
}

export function interchange(run: Run, model: PublishedModel, path: string, text: string, about: Manifest | undefined): PublishedFindings {
  const [reduction, increase, baseline] = ['mean_ctrl_to_ccp_reduction', 'mean_ccp_to_ctrl_increase', 'mean_baseline_delta'];
  const table = readTable(path, text, ['layer', 'head', 'n_pairs', reduction, increase, baseline]);
  const rows = byHead(table, model);
  candidatesAre(rows.keys(), model, path, about);
  const gap = sameInAll(table, baseline);
  if (gap === 0) throw new UserError(`published results: ${path}: ${baseline}`, 'must not be 0, for it is divided by', gap);
  const of = (column: string, unit: string, scale: number, definition: string, source: string) =>
    headMeasure(model, new Map([...rows].map(([cell, row]) => [cell, row.number(column) * scale])), { unit, definition, source });
  const nll = 'mean negative log likelihood of the first 5 tokens of the control continuation';
  return published(
    run,
    model,
    {
      reduction: of(
        reduction,
        'nats',
        1,
        `fall of the ${nll}, after the sensitive prompt, when the head is taken from the control`,
        `${path}: ${reduction}`,
      ),
      increase: of(
        increase,
        'nats',
        1,
        `rise of the ${nll}, after the control, when the head is taken from the sensitive prompt`,
        `${path}: ${increase}`,
      ),
      necessity: of(reduction, '%', 100 / gap, 'mean reduction over the mean gap', `derived from ${path}: ${reduction} / ${baseline}`),
      sufficiency: of(increase, '%', 100 / gap, 'mean increase over the mean gap', `derived from ${path}: ${increase} / ${baseline}`),
    },
    { pairs: pairsOf(table), gap, 'source.gap': `${path}: ${baseline}`, ...corpusOf(about) },
    { listed: rows.keys() },
  );
}

const corpusOf = (about: Manifest | undefined) => (about?.corpus === undefined ? {} : { corpus: about.corpus });

/** The heads of a table are those its manifest says were run. */
function candidatesAre(listed: Iterable<number>, { heads }: PublishedModel, path: string, about: Manifest | undefined): void {
  if (!about?.candidate_heads) return;
  const chosen = new Set(about.candidate_heads.map(({ layer, head }) => layer * heads + head));
  const cells = [...listed];
  const other = cells.find((cell) => !chosen.has(cell));
  if (other !== undefined || cells.length !== chosen.size)
    throw new UserError(
      `published results: ${path}: heads`,
      `must be the ${chosen.size} of run_manifest.json`,
      other === undefined ? `${cells.length} of them` : `L${Math.floor(other / heads)}H${other % heads}`,
    );
}
