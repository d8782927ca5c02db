/** `gatescope analyse <analysis>`: a question about models of a session, answered from it or computed and kept in it. */
import { Command, type OptionValues } from 'commander';
import type { AnyAnalysis } from '../../engine/analyses/analysis.ts';
import { analyses } from '../../engine/analyses/index.ts';
import type { AnyRoutingAnalysis } from '../../engine/analyses/routing/analysis.ts';
import { routingAnalyses } from '../../engine/analyses/routing/index.ts';
import { UserError } from '../../engine/base/errors.ts';
import type { Findings } from '../../engine/base/findings.ts';
import { analyseRequest } from '../../engine/jobs/analyse.ts';
import { adapterOf } from '../../engine/models/adapters/index.ts';
import { titlesOf } from '../../engine/models/titles.ts';
import { withDataNamed } from '../export/dataNames.ts';
import { plainFindings } from '../export/plainFindings.ts';
import type { ModelRow } from '../store/models.ts';
import type { Session } from '../store/session.ts';
import { namedData } from '../host/describe/data.ts';
import { analysePairsCommand } from './analysePairs.ts';
import { addCores, nearestText, reworded, sessionOption } from './common.ts';
import { aboutData, dataOf } from './dataOfModels.ts';
import { findingsText } from './findingsText.ts';
import { Flags } from './flags.ts';
import { findModel } from './names.ts';
import { OfferingOption } from './offers.ts';
import { jsonLine, print } from './output.ts';
import { aligned, short } from './table.ts';
import { workOn, type Surroundings, type Work } from './work.ts';

const requestFlags = new Flags(analyseRequest, {
  omit: ['models', 'options'],
  defaultTexts: { 'data.source': 'what the models were trained on' },
  suggestions: { 'data.source': namedData },
});

interface AnalyseOptions extends OptionValues {
  readonly session?: string;
  readonly model?: readonly string[];
  readonly cores: number;
  readonly json?: boolean;
}

export function analyseCommand(surroundings: Surroundings): Command {
  const command = new Command('analyse')
    .description('ask a question about models of a session')
    .argument('[analysis]', 'one of those that --list tells')
    .option('--list', 'tell which analyses there are')
    .option('--json', 'with --list: print an array of JSON')
    // What follows an unknown analysis is its own business; the analysis is the mistake.
    .allowUnknownOption()
    .allowExcessArguments()
    .action(async (id: string | undefined, { list, json }: { list?: boolean; json?: boolean }) => {
      if (id === undefined && list)
        return print(json ? jsonLine([...analyses.map(described), ...routingAnalyses.map(describedRouting)]) : listText());
      if (id === undefined) throw new UserError('analyse: analysis', 'must be given: --list tells which there are', id);
      const ids = [...analyses, ...routingAnalyses].map((analysis) => analysis.id);
      throw new UserError('analyse: analysis', `must be one of ${ids.join(', ')}${nearestText(id, ids)}`, id);
    });
  for (const analysis of analyses) command.addCommand(commandOf(analysis, surroundings));
  for (const analysis of routingAnalyses) command.addCommand(analysePairsCommand(analysis, surroundings));
  return command;
}

function commandOf(analysis: AnyAnalysis, surroundings: Surroundings): Command {
  const place = `analyse ${analysis.id}`;
  const flags = new Flags(analysis.options);
  const command = new Command(analysis.id)
    .description(analysis.title)
    .addOption(sessionOption('the session with the models, which keeps the result').makeOptionMandatory())
    .addOption(
      new OfferingOption('--model <id>', `${takes(analysis)}: titles, beginnings of digests, or all; may be repeated`, {
        from: 'models',
      }).argParser((text, before: string[] = []) => [...before, text]),
    );
  flags.addTo(command);
  requestFlags.addTo(command);
  return addCores(command, place)
    .option('--json', 'print the findings as one line of JSON')
    .action(async (given: AnalyseOptions) => {
      const options = flags.parse(place, given);
      const asked = requestFlags.parse(place, given, { models: [] });
      const told = await workOn(given.session!, { ...surroundings, cores: given.cores }, async (work) => {
        const rows = chosenModels(work.session, analysis, given.model, place);
        const data = await dataOf(work, rows, asked.data, place, given);
        const models = rows.map(({ digest }) => ({ model: work.session.model(digest) }));
        try {
          const { key, findings } = await analysed(work, analysis.id, { models, data, seed: asked.seed, options });
          return given.json
            ? jsonLine({ key, analysis: analysis.id, findings: plainFindings(findings) })
            : `${findingsText(withDataNamed(findings, work.session.corpora()))}\nresult ${short(key)}\n`;
        } catch (error) {
          const titles = titlesOf(models.map(({ model }) => model));
          throw aboutData(aboutModels(flags.inWords(error, analysis.id, place, given), analysis.id, titles, place), data, place, given);
        }
      });
      await print(told);
    });
}

async function analysed({ session, prepare, submit }: Work, id: string, parameters: unknown): Promise<{ key: string; findings: Findings }> {
  const request = { kind: id, parameters };
  const { key } = prepare(request);
  const isKept = () => session.results().some((row) => row.key === key);
  const wasKept = isKept();
  const findings = await submit<Findings>(request);
  if (!wasKept && isKept()) session.act('analyse', { analysis: id, result: key });
  return { key, findings };
}

/** What an analysis says of a model by its title, or of all of them, in the words of the flag; others as they are. */
function aboutModels(error: unknown, id: string, titles: readonly string[], place: string): unknown {
  if (!(error instanceof UserError)) return error;
  const title = titles.find((one) => error.field === `${id}: ${one}`);
  if (title !== undefined) return reworded(error, `${place}: --model ${JSON.stringify(title)}`, error.rule);
  return error.field === `${id}: models` ? reworded(error, `${place}: --model`, error.rule) : error;
}

/** Models by what was written; `all` are those that the analysis takes. Each once. */
function chosenModels(
  session: Session,
  { models: { adapter } }: AnyAnalysis,
  given: readonly string[] | undefined,
  place: string,
): ModelRow[] {
  if (given === undefined) throw new UserError(`${place}: --model`, 'must be given: a title, the beginning of a digest, or all', given);
  const all = () =>
    session
      .models()
      .filter((row) => adapter === 'optional' || (row.adapter !== undefined && (adapter === 'any' || adapterOf(row.adapter).gated)));
  const rows = given.flatMap((text) => (text === 'all' ? all() : [findModel(session, text, `${place}: --model`)]));
  return rows.filter(({ digest }, i) => rows.findIndex((other) => other.digest === digest) === i);
}

function takes({ models: { least, most, adapter } }: AnyAnalysis): string {
  const number = least === most ? String(least) : most === Infinity ? `${least} or more` : `${least} to ${most}`;
  const kind = { gated: ' with gates', any: ' with an adapter', optional: '' }[adapter];
  return `${number} ${most === 1 ? 'model' : 'models'}${kind}`;
}

const described = (analysis: AnyAnalysis) => ({
  id: analysis.id,
  title: analysis.title,
  version: analysis.version,
  models: analysis.models,
});

const describedRouting = ({ id, title, version, arms, others }: AnyRoutingAnalysis) => ({
  id,
  title,
  version,
  arms,
  ...(others && { others }),
});

function listText(): string {
  const ofImages = analyses.map((analysis) => [analysis.id, takes(analysis), analysis.title]);
  const ofLanguage = routingAnalyses.map(({ id, title, others }) => [
    id,
    `1 ${others ? `to ${others.most + 1} ` : ''}language model, pairs`,
    title,
  ]);
  return `${aligned([['analysis', 'takes', 'what it tells'], ...ofImages, ...ofLanguage])}\n`;
}
