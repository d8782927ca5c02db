/** The tables of circuits: knockout cascade and its null, cipher contrast, cipher interchange (methods.md P5, P8, P4). */
import { z } from 'zod';
import { UserError } from '../../base/errors.ts';
import { byHead, headMeasure, pairsOf, published, type PublishedFindings, type PublishedModel, type Sourced } from './cells.ts';
import type { Run } from './folder.ts';
import { mustAgree, readTable } from './table.ts';

const head = z.object({ layer: z.int().min(0), head: z.int().min(0) });
export const cascadeManifest = z.object({
  model: z.string().min(1),
  corpus: z.string(),
  gate_head: head,
  method: z.string(),
  dla_target: z.string(),
});
export const nullSummary = z.object({
  model: z.string().min(1),
  gate: z.string(),
  gate_effect: z.number(),
  null_mean: z.number(),
  null_std: z.number(),
  limit_pairs: z.int(),
});
export const cipherSummary = z.object({
  model: z.string().min(1),
  corpus: z.string(),
  n_pairs: z.int().positive(),
  total_heads: z.int().positive(),
  top_10: z.array(z.object({ head: z.string(), sensitivity: z.number() })),
});
export const cipherInterchangeSummary = z.object({
  model: z.string().min(1),
  gate: z.string(),
  corpus: z.string(),
  n_pairs: z.int().positive(),
});

/** `L13.H7` as a cell. */
function cellOf(label: string, { layers, heads }: PublishedModel, path: string): number {
  const [, layer, headOf] = /^L(\d+)\.H(\d+)$/.exec(label) ?? [];
  if (layer === undefined || Number(layer) >= layers || Number(headOf) >= heads)
    throw new UserError(`published results: ${path}: head`, `must be L0.H0 … L${layers - 1}.H${heads - 1}`, label);
  return Number(layer) * heads + Number(headOf);
}

export function cascade(
  run: Run,
  model: PublishedModel,
  path: string,
  text: string,
  about: z.output<typeof cascadeManifest> | undefined,
): PublishedFindings {
  const table = readTable(path, text, ['layer', 'head', 'mean_normal_delta', 'mean_knockout_delta', 'change_pct', 'n_pairs']);
  const rows = byHead(table, model);
  const change = new Map<number, number>();
  for (const [cell, row] of rows) {
    const [normal, knockout] = [row.number('mean_normal_delta'), row.number('mean_knockout_delta')];
    if (normal === 0) throw new UserError(`published results: ${path}: mean_normal_delta`, 'must not be 0, for it is divided by', 0);
    change.set(cell, (100 * (knockout - normal)) / Math.abs(normal));
    // Deltas are printed to 1e-6 and changes to 0.1.
    mustAgree(
      `${path}: change_pct`,
      '(knockout − normal) / |normal|',
      row.number('change_pct'),
      change.get(cell)!,
      0.051 + 2e-4 / Math.abs(normal),
    );
  }
  const of = (values: ReadonlyMap<number, number>, unit: string, definition: string, source: string) =>
    headMeasure(model, values, { unit, definition, source });
  const column = (name: string) => new Map([...rows].map(([cell, row]) => [cell, row.number(name)]));
  const delta = 'direct contribution of the head to the logit difference, sensitive less control';
  return published(
    run,
    model,
    {
      normal: of(column('mean_normal_delta'), 'logits', delta, `${path}: mean_normal_delta`),
      knockout: of(column('mean_knockout_delta'), 'logits', `${delta}, while the gate is set to 0`, `${path}: mean_knockout_delta`),
      change: of(
        change,
        '%',
        '(knockout − normal) over |normal|; negative where the head is suppressed',
        `derived from ${path}: mean_knockout_delta, mean_normal_delta`,
      ),
    },
    {
      pairs: pairsOf(table),
      ...(about && {
        corpus: about.corpus,
        gate: `L${about.gate_head.layer}H${about.gate_head.head}`,
        method: about.method,
        target: about.dla_target,
      }),
      suppressed: [...change.values()].filter((value) => value < 0).length,
    },
    { listed: rows.keys() },
  );
}

export function knockoutNull(
  run: Run,
  model: PublishedModel,
  path: string,
  text: string,
  about: z.output<typeof nullSummary> | undefined,
): PublishedFindings {
  const table = readTable(path, text, ['head', 'mean_abs_change_pct', 'role']);
  const changes = new Map<number, number>();
  let gate = -1;
  table.rows.forEach((row, i) => {
    const role = row.text('role');
    if (role !== 'gate' && role !== 'null')
      throw new UserError(`published results: ${path}: row ${i + 1}, role`, 'must be gate or null', role);
    const cell = cellOf(row.text('head').replace(/^GATE_/, ''), model, path);
    if (changes.has(cell)) throw new UserError(`published results: ${path}: row ${i + 1}, head`, 'must not stand twice', row.text('head'));
    if (role === 'gate' && gate >= 0) throw new UserError(`published results: ${path}: row ${i + 1}, role`, 'must be gate once', role);
    if (role === 'gate') gate = cell;
    changes.set(cell, row.number('mean_abs_change_pct'));
  });
  if (gate < 0 || changes.size < 2)
    throw new UserError(`published results: ${path}: role`, 'must be gate once and null otherwise', `${changes.size} heads`);
  const values = [...changes].filter(([cell]) => cell !== gate).map(([, value]) => value);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
  const effect = changes.get(gate)!;
  if (about) {
    const summary = path.replace(/[^/]*$/, 'knockout_null_summary.json');
    mustAgree(`${summary}: gate_effect`, 'that of the distribution', about.gate_effect, effect, 0.011);
    mustAgree(`${summary}: null_mean`, 'that of the distribution', about.null_mean, mean, 0.011);
    mustAgree(`${summary}: null_std`, 'that of the distribution', about.null_std, deviation, 0.011);
  }
  return published(
    run,
    model,
    {
      change: headMeasure(model, changes, {
        unit: '%',
        definition: 'mean over the amplifiers of |change of delta| when this head is set to 0; signs are lost',
        source: `${path}: mean_abs_change_pct`,
      }),
    },
    {
      gate: `L${Math.floor(gate / model.heads)}H${gate % model.heads}`,
      'gate.change': effect,
      'null.heads': values.length,
      'null.mean': mean,
      'null.deviation': deviation,
      'null.max': Math.max(...values),
      ...(about && { pairs: about.limit_pairs }),
    },
    { listed: changes.keys() },
  );
}

/** All heads where the table is there; otherwise the ten most sensitive of the summary, the others `not-run`. */
export function cipherContrast(
  run: Run,
  model: PublishedModel,
  table: { path: string; text: string } | undefined,
  summary: { path: string; about: z.output<typeof cipherSummary> } | undefined,
): PublishedFindings {
  if (summary && summary.about.total_heads !== model.layers * model.heads)
    throw new UserError(
      `published results: ${summary.path}: total_heads`,
      `must be ${model.layers} × ${model.heads}`,
      summary.about.total_heads,
    );
  const facts = summary ? { pairs: summary.about.n_pairs, corpus: summary.about.corpus } : {};
  const definition = '|mean over pairs of the head’s contribution, plaintext less cipher| of the sensitive prompt';
  const listed = new Map((summary?.about.top_10 ?? []).map((one) => [cellOf(one.head, model, summary!.path), one.sensitivity]));
  if (!table) {
    const sensitivity = headMeasure(model, listed, { unit: 'logits', definition, source: `${summary!.path}: top_10` });
    return published(run, model, { sensitivity }, facts, { listed: listed.keys() });
  }
  const { path, text } = table;
  const rows = byHead(readTable(path, text, ['layer', 'head', ...CIPHER_COLUMNS]), model);
  for (const row of rows.values()) {
    const [plain, cipher, benign, sensitivity, routing] = CIPHER_COLUMNS.map((name) => row.number(name));
    const slack = 1e-9 * (1 + Math.abs(plain) + Math.abs(cipher) + Math.abs(benign));
    mustAgree(`${path}: cipher_sensitivity`, '|plain − cipher|', sensitivity, Math.abs(plain - cipher), slack);
    mustAgree(`${path}: plain_minus_benign`, 'plain − benign', routing, plain - benign, slack);
  }
  for (const [cell, value] of listed)
    mustAgree(`${summary!.path}: top_10`, 'as in the table', value, rows.get(cell)?.number('cipher_sensitivity') ?? NaN, 1e-9);
  const of = (column: string, about: string): Sourced =>
    headMeasure(model, new Map([...rows].map(([cell, row]) => [cell, row.number(column)])), {
      unit: 'logits',
      definition: about,
      source: `${path}: ${column}`,
    });
  const dla = 'mean over pairs of the head’s direct contribution to the logit difference:';
  return published(
    run,
    model,
    {
      plain: of('mean_plain_dla', `${dla} sensitive prompt in plaintext`),
      cipher: of('mean_cipher_dla', `${dla} sensitive prompt in cipher`),
      benign: of('mean_benign_dla', `${dla} control`),
      sensitivity: of('cipher_sensitivity', definition),
      routing: of('plain_minus_benign', 'plain less benign'),
    },
    facts,
    { listed: rows.keys() },
  );
}

const CIPHER_COLUMNS = ['mean_plain_dla', 'mean_cipher_dla', 'mean_benign_dla', 'cipher_sensitivity', 'plain_minus_benign'] as const;

/** The one table that has pairs: effects of swapping the gate, in plaintext and in cipher, and their collapse, signed and of magnitudes (T6). */
export function cipherInterchange(
  run: Run,
  model: PublishedModel,
  path: string,
  text: string,
  about: z.output<typeof cipherInterchangeSummary> | undefined,
): PublishedFindings {
  const columns = [
    'necessity',
    'sufficiency',
    'baseline_harm_dla',
    'baseline_benign_dla',
    'swapped_harm_dla',
    'swapped_benign_dla',
  ] as const;
  const table = readTable(path, text, ['pair_idx', 'condition', ...columns]);
  const conditions = ['plaintext', 'cipher'];
  const pairs = table.rows.length / 2;
  const data = Object.fromEntries(['necessity', 'sufficiency'].map((name) => [name, new Float64Array(table.rows.length).fill(NaN)]));
  for (const [i, row] of table.rows.entries()) {
    const condition = conditions.indexOf(row.text('condition'));
    if (condition < 0)
      throw new UserError(
        `published results: ${path}: row ${i + 1}, condition`,
        `must be ${conditions.join(' or ')}`,
        row.text('condition'),
      );
    if (!Number.isInteger(pairs))
      throw new UserError(`published results: ${path}: rows`, 'must be one of each condition for every pair', table.rows.length);
    const cell = condition * pairs + row.index('pair_idx', pairs);
    if (!Number.isNaN(data.necessity[cell]))
      throw new UserError(`published results: ${path}: row ${i + 1}, pair_idx`, 'must not stand twice', row.text('pair_idx'));
    const [necessity, sufficiency, harm, benign, harmSwapped, benignSwapped] = columns.map((name) => row.number(name));
    const slack = 1e-6 * (1 + Math.abs(harm) + Math.abs(benign));
    mustAgree(`${path}: row ${i + 1}, necessity`, 'baseline − swapped', necessity, harm - harmSwapped, slack);
    mustAgree(`${path}: row ${i + 1}, sufficiency`, 'swapped − baseline', sufficiency, benignSwapped - benign, slack);
    data.necessity[cell] = necessity;
    data.sufficiency[cell] = sufficiency;
  }
  const meanOf = (values: Float64Array, part: (value: number) => number) => values.reduce((sum, value) => sum + part(value), 0) / pairs;
  const of = (values: Float64Array, definition: string, source: string, axes = ['condition']): Sourced => ({
    axes,
    unit: 'logits',
    definition,
    data: values,
    source,
  });
  const summaries = Object.entries(data).flatMap(([name, values]) => {
    const halves = [values.subarray(0, pairs), values.subarray(pairs)];
    return [
      [
        `${name}Mean`,
        of(
          Float64Array.from(halves, (half) => meanOf(half, (value) => value)),
          `mean of ${name} over pairs, signed`,
          `derived from ${path}: ${name}`,
        ),
      ],
      [
        `${name}Magnitude`,
        of(
          Float64Array.from(halves, (half) => meanOf(half, Math.abs)),
          `mean of |${name}| over pairs`,
          `derived from ${path}: ${name}`,
        ),
      ],
    ] as [string, Sourced][];
  });
  const measures = Object.fromEntries(summaries);
  const collapse = (name: string) => 100 * (1 - measures[name].data[1] / measures[name].data[0]);
  const direct = 'of the sum of all components’ contributions along the probe direction';
  return published(
    run,
    model,
    {
      necessity: of(data.necessity, `fall ${direct}, sensitive prompt, gate taken from the control`, `${path}: necessity`, [
        'condition',
        'pair',
      ]),
      sufficiency: of(data.sufficiency, `rise ${direct}, control, gate taken from the sensitive prompt`, `${path}: sufficiency`, [
        'condition',
        'pair',
      ]),
      ...measures,
    },
    {
      pairs,
      ...(about && { gate: about.gate, corpus: about.corpus }),
      'collapse.signed': collapse('necessityMean'),
      'collapse.magnitude': collapse('necessityMagnitude'),
    },
    { axes: { condition: { values: conditions }, pair: { values: Array.from({ length: pairs }, (_, pair) => pair) } } },
  );
}
