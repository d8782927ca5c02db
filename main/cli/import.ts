/** `gatescope import FOLDER`: tables that others published, kept as results whose numbers were computed elsewhere. */
import { Command } from 'commander';
import { CELL_STATES, stateDefinition } from '../../engine/analyses/routing/siteSweep.ts';
import type { Findings } from '../../engine/base/findings.ts';
import type { PublishedFindings } from '../../engine/formats/publishedRouting/cells.ts';
import { readPublishedFolder } from '../../engine/formats/publishedRouting/folder.ts';
import { importPublished, type PublishedResults } from '../../engine/formats/publishedRouting/importPublished.ts';
import { publishedPanel } from '../../engine/formats/publishedRouting/panel.ts';
import { canonicalDigest } from '../store/canonical.ts';
import { absolutePath, sessionOption } from './common.ts';
import { OfferingArgument } from './offers.ts';
import { jsonLine, print, warn } from './output.ts';
import { ownSession } from './runState.ts';
import { aligned, figure, short } from './table.ts';

/** Raised whenever the same tables are kept as other findings. */
const VERSION = 1;

export function importCommand(): Command {
  return new Command('import')
    .description('read published tables of How Alignment Routes, and keep them in a session')
    .addArgument(new OfferingArgument('<folder>', 'the results of its repository', { from: 'files' }))
    .addOption(sessionOption('the session that keeps them (made if it is not there); without one they are only read'))
    .option('--json', 'print what was read as one line of JSON')
    .action(async (folder: string, { session: file, json }: { session?: string; json?: boolean }) => {
      const path = absolutePath(folder, 'import: folder', 'folder');
      const results = importPublished(readPublishedFolder(path));
      const keys = file === undefined ? undefined : keepIn(absolutePath(file, 'import: --session', 'file'), path, results);
      await print(json ? jsonLine(plain(results, keys)) : text(results, keys));
    });
}

/** @returns keys of the results, in the order of the tables */
function keepIn(file: string, folder: string, { findings: tables, models }: PublishedResults): string[] {
  const kept = ownSession(file);
  const { session } = kept;
  try {
    if (session.notice !== undefined) warn(session.notice);
    const before = session.results().length;
    const keys = session.together(() =>
      tables.map((table) => {
        const { path, experiment, variant, model } = table;
        const findings = withStates(table);
        const key = canonicalDigest(['import', VERSION, path, findings]);
        const { id } = models.find((one) => one.key === model)!;
        session.saveReport(key, importedId(experiment), VERSION, findings, { from: folder, path, model: id, variant });
        return key;
      }),
    );
    if (session.results().length > before) session.act('import', { folder, results: keys.length });
    return keys;
  } finally {
    kept.close();
  }
}

/** `imported interchange`: never the id of an analysis of ours. */
const importedId = (experiment: string): string => `imported ${experiment}`;

/** With the state of every head as a measure like any other. */
function withStates({ findings, states, path, model }: PublishedFindings): Findings {
  const facts = { state: 'imported', path, model, ...findings.facts };
  if (states.length === 0) return { ...findings, facts };
  const data = Int32Array.from(states, (state) => CELL_STATES[state]);
  return {
    ...findings,
    measures: { ...findings.measures, state: { axes: ['layer', 'head'], unit: '', definition: stateDefinition, data } },
    facts,
  };
}

function plain(results: PublishedResults, keys: readonly string[] | undefined): object {
  const { models, findings, notRead } = results;
  return {
    models,
    tables: findings.map(({ path, experiment, variant, model, states }, i) => ({
      path,
      experiment,
      variant,
      model,
      imported: states.filter((state) => state === 'imported').length,
      notRun: states.filter((state) => state === 'not-run').length,
      ...(keys && { result: keys[i] }),
    })),
    panel: publishedPanel(results),
    notRead,
  };
}

function text(results: PublishedResults, keys: readonly string[] | undefined): string {
  const tables = results.findings.map(({ path, experiment, model, states }, i) => [
    ...(keys ? [short(keys[i])] : []),
    experiment,
    model,
    path,
    states.length === 0 ? '' : `${states.filter((state) => state === 'imported').length} of ${states.length} heads`,
  ]);
  const panel = publishedPanel(results).map((row) => [
    row.model,
    `L${row.layer}H${row.head}`,
    figure(row.necessity),
    figure(row.sufficiency),
    figure(row.gap),
    row.chosen,
  ]);
  return [
    `${aligned([[...(keys ? ['result'] : []), 'table', 'model', 'path', 'measured'], ...tables])}\n\n`,
    panel.length === 0 ? '' : `${aligned([['model', 'gate', 'necessity %', 'sufficiency %', 'gap, nats', 'most of both'], ...panel])}\n\n`,
    `computed elsewhere, without pairs and p; heads not listed were not run there${keys ? '' : '; kept nowhere: give --session'}\n`,
  ].join('');
}
