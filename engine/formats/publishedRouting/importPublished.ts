/**
 * Import of the published tables of How Alignment Routes: models and findings with the state `imported`, the source of every number, the licence.
 *
 * A pure function of texts. Nothing is computed that the tables do not hold: means over pairs have no interval and no p here, and heads that a
 * table does not list are `not-run`, never 0. How it is stored and shown is left to others.
 */
import type { z } from 'zod';
import { UserError } from '../../base/errors.ts';
import type { PublishedFindings, PublishedModel } from './cells.ts';
import {
  cascade,
  cascadeManifest,
  cipherContrast,
  cipherInterchange,
  cipherInterchangeSummary,
  cipherSummary,
  knockoutNull,
  nullSummary,
} from './circuitTables.ts';
import { runsOf, type PublishedFolder, type Run } from './folder.ts';
import { ablation, attribution, attributionTable, interchange, manifest } from './headTables.ts';
import { readJson } from './table.ts';

export interface PublishedResults {
  /** By key. */
  readonly models: readonly PublishedModel[];
  /** By path of the run. */
  readonly findings: readonly PublishedFindings[];
  /** Paths of the repository's other experiments, which were left alone. */
  readonly notRead: readonly string[];
  /** The text beside the results; also its first lines in the facts of all findings. Empty where there is none. */
  readonly licence: string;
}

/** @throws UserError for files that are not known, columns that are missing, and numbers that are none or contradict one another */
export function importPublished(folder: PublishedFolder): PublishedResults {
  const { runs, notRead } = runsOf(folder);
  const text = (run: Run, name: string) => (run.files.includes(name) ? folder.files.get(`${run.path}/${name}`) : undefined);
  const required = (run: Run, name: string) => {
    const found = text(run, name);
    if (found === undefined) throw new UserError(`published results: ${run.path}`, `must hold ${name}`, run.files);
    return { path: `${run.path}/${name}`, text: found };
  };
  const json = <S extends z.ZodType>(run: Run, name: string, schema: S): z.output<S> | undefined => {
    const found = text(run, name);
    return found === undefined ? undefined : readJson(`${run.path}/${name}`, found, schema);
  };
  const models = modelsOf(runs, { json, required });

  const findings = runs.map((run): PublishedFindings => {
    const model = models.get(run.model);
    // How many layers and heads there are is only in the table of all heads.
    if (!model)
      throw new UserError(`published results: ${run.path}`, `must have panel/${run.model}/headDLA/head_summary.csv beside it`, run.model);
    switch (run.experiment) {
      case 'attribution': {
        const { path, text: csv } = required(run, 'head_summary.csv');
        const { table, layers, heads } = attributionTable(path, csv);
        if (layers !== model.layers || heads !== model.heads)
          throw new UserError(`published results: ${path}`, `must have ${model.layers} layers of ${model.heads} heads`, [layers, heads]);
        return attribution(run, model, table, json(run, 'run_manifest.json', manifest));
      }
      case 'ablation': {
        const table = required(run, 'head_ablate_summary.csv');
        return ablation(run, model, table.path, table.text, json(run, 'run_manifest.json', manifest));
      }
      case 'interchange': {
        const table = required(run, 'head_interchange_summary.csv');
        return interchange(run, model, table.path, table.text, json(run, 'run_manifest.json', manifest));
      }
      case 'cascade': {
        const table = required(run, 'cascade_summary.csv');
        return cascade(run, model, table.path, table.text, json(run, 'run_manifest.json', cascadeManifest));
      }
      case 'knockoutNull': {
        const table = required(run, 'knockout_null_distribution.csv');
        return knockoutNull(run, model, table.path, table.text, json(run, 'knockout_null_summary.json', nullSummary));
      }
      case 'cipherContrast': {
        const about = json(run, 'cipher_diagnostic_summary.json', cipherSummary);
        const table =
          about && text(run, 'cipher_diagnostic_all_heads.csv') === undefined
            ? undefined
            : required(run, 'cipher_diagnostic_all_heads.csv');
        return cipherContrast(run, model, table, about && { path: `${run.path}/cipher_diagnostic_summary.json`, about });
      }
      case 'cipherInterchange': {
        const table = required(run, 'interchange_cipher_pairwise.csv');
        return cipherInterchange(
          run,
          model,
          table.path,
          table.text,
          json(run, 'interchange_cipher_summary.json', cipherInterchangeSummary),
        );
      }
      default:
        return run.experiment satisfies never;
    }
  });
  const licence = folder.licence.split(/\r?\n/).filter(Boolean).slice(0, 2).join('; ');
  return {
    models: [...models.values()],
    findings: findings.map((one) => ({
      ...one,
      findings: { ...one.findings, facts: { ...one.findings.facts, licence: licence || 'none beside the results' } },
    })),
    notRead,
    licence: folder.licence,
  };
}

interface Reading {
  readonly json: <S extends z.ZodType>(run: Run, name: string, schema: S) => z.output<S> | undefined;
  readonly required: (run: Run, name: string) => { path: string; text: string };
}

/** What the folder knows of each model: sizes from its table of all heads, its name from whatever file has it. */
function modelsOf(runs: readonly Run[], { json, required }: Reading): Map<string, PublishedModel> {
  const names = new Map<string, string>();
  for (const run of runs) {
    const name =
      json(
        run,
        'run_manifest.json',
        run.experiment === 'cascade' ? cascadeManifest.pick({ model: true }) : manifest.pick({ model_id: true }),
      ) ??
      json(run, 'knockout_null_summary.json', nullSummary.pick({ model: true })) ??
      json(run, 'cipher_diagnostic_summary.json', cipherSummary.pick({ model: true })) ??
      json(run, 'interchange_cipher_summary.json', cipherInterchangeSummary.pick({ model: true }));
    if (!name) continue;
    const id = 'model' in name ? name.model : name.model_id;
    const known = names.get(run.model);
    if (known !== undefined && known !== id)
      throw new UserError(`published results: ${run.path}: model`, `must be ${known} as in the other tables of ${run.model}`, id);
    names.set(run.model, id);
  }
  const models = new Map<string, PublishedModel>();
  for (const run of runs) {
    if (run.experiment !== 'attribution' || models.has(run.model)) continue;
    const { path, text } = required(run, 'head_summary.csv');
    const { layers, heads } = attributionTable(path, text);
    const about = json(run, 'run_manifest.json', manifest);
    for (const [name, given, found] of [
      ['n_layers', about?.n_layers, layers],
      ['n_heads', about?.n_heads, heads],
    ] as const)
      if (given !== undefined && given !== found)
        throw new UserError(`published results: ${path}`, `must have the ${name} of run_manifest.json, ${given}`, found);
    models.set(run.model, { key: run.model, id: names.get(run.model) ?? run.model, layers, heads });
  }
  return new Map([...models].sort(([one], [other]) => (one < other ? -1 : 1)));
}
