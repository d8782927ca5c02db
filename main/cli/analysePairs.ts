/** `gatescope analyse <analysis>` for policy circuits: a question about a language model and pairs of prompts of a session. */
import { Command, type OptionValues } from 'commander';
import type { AnyRoutingAnalysis } from '../../engine/analyses/routing/analysis.ts';
import { UserError } from '../../engine/base/errors.ts';
import type { Findings } from '../../engine/base/findings.ts';
import { analysePairsRequest } from '../../engine/jobs/analysePairs.ts';
import { plainFindings } from '../export/plainFindings.ts';
import { modelForRequest } from '../host/languageModels.ts';
import type { Session } from '../store/session.ts';
import { addCores, reworded, sessionOption } from './common.ts';
import { findingsText } from './findingsText.ts';
import { Flags } from './flags.ts';
import { findAny } from './names.ts';
import { OfferingOption } from './offers.ts';
import { jsonLine, print } from './output.ts';
import { short } from './table.ts';
import { workOn, type Surroundings } from './work.ts';

/** What is given by other means than flags of the request. */
const SUBJECTS = ['model', 'label', 'pairs', 'others', 'options'];
const requestFlags = new Flags(analysePairsRequest.pick({ seed: true }));

interface AnalyseOptions extends OptionValues {
  readonly session?: string;
  readonly model?: readonly string[];
  readonly pairs?: readonly string[];
  readonly cores: number;
  readonly json?: boolean;
}

export function analysePairsCommand(analysis: AnyRoutingAnalysis, surroundings: Surroundings): Command {
  const place = `analyse ${analysis.id}`;
  const flags = new Flags(analysis.options, { omit: SUBJECTS });
  const repeated = (text: string, before: string[] = []) => [...before, text];
  const most = 1 + (analysis.others?.most ?? 0);
  const several = most > 1 ? '; may be repeated, the first is compared with the others' : '';
  const command = new Command(analysis.id)
    .description(analysis.title)
    .addOption(sessionOption('the session with the model and the pairs, which keeps the result').makeOptionMandatory())
    .addOption(
      new OfferingOption(
        '--model <id>',
        `a language model: its label or the beginning of its digest; the only one unless given${several}`,
        {
          from: 'models',
        },
      ).argParser(repeated),
    )
    .addOption(
      new OfferingOption(
        '--pairs <id>',
        `pairs of prompts: their source or the beginning of their digest; the only ones unless given${several}`,
        {
          from: 'everything',
        },
      ).argParser(repeated),
    );
  flags.addTo(command);
  requestFlags.addTo(command);
  return addCores(command, place)
    .option('--json', 'print the findings as one line of JSON')
    .action(async (given: AnalyseOptions) => {
      const options = flags.parse(place, given);
      const { seed } = requestFlags.parse(place, given);
      const told = await workOn(given.session!, { ...surroundings, cores: given.cores }, async ({ session, prepare, submit }) => {
        const [subject, ...others] = subjects(session, given, place, most);
        const request = { kind: analysis.id, parameters: { ...subject, others, seed, options } };
        try {
          const { key } = prepare(request);
          const known = session.results().length;
          const findings = await submit<Findings>(request);
          if (session.results().length > known) session.act('analyse', { analysis: analysis.id, result: key });
          return given.json
            ? jsonLine({ key, analysis: analysis.id, findings: plainFindings(findings) })
            : `${findingsText(findings)}\nresult ${short(key)}\n`;
        } catch (error) {
          throw inWords(flags.inWords(error, analysis.id, place, given), analysis.id, place);
        }
      });
      await print(told);
    });
}

/** Models and pairs side by side; one of either stands for all of the other. */
function subjects(session: Session, { model = [], pairs = [] }: AnalyseOptions, place: string, most: number) {
  const models = named(session, model, `${place}: --model`, 'languageModel');
  const sets = named(session, pairs, `${place}: --pairs`, 'pairs');
  const count = Math.max(models.length, sets.length);
  if ((models.length > 1 && sets.length > 1 && models.length !== sets.length) || count > most)
    throw new UserError(`${place}: --model`, `must be at most ${most}, with as many --pairs or one`, count);
  return Array.from({ length: count }, (_, i) => ({
    ...modelForRequest(session, models[models.length > 1 ? i : 0], `${place}: --model`),
    pairs: session.pairSet(sets[sets.length > 1 ? i : 0]),
  }));
}

/** Digests of what is named, or of the only one there is. */
function named(session: Session, texts: readonly string[], place: string, kind: 'languageModel' | 'pairs'): string[] {
  if (texts.length > 0) return texts.map((text) => findAny(session, text, place, [kind]).key);
  const all: readonly { readonly digest: string }[] = kind === 'pairs' ? session.pairSets() : session.languageModels();
  if (all.length === 1) return [all[0].digest];
  throw new UserError(place, 'must be given where the session has none or several', `${all.length} in ${session.path}`);
}

/** What the analysis says of its model and pairs, in the words of the flags. */
function inWords(error: unknown, id: string, place: string): unknown {
  if (!(error instanceof UserError)) return error;
  const { field } = error;
  if (field.startsWith(`${id}: model`)) return reworded(error, `${place}: --model${field.slice(`${id}: model`.length)}`, error.rule);
  if (field.startsWith(`${id}: pairs`)) return reworded(error, `${place}: --pairs${field.slice(`${id}: pairs`.length)}`, error.rule);
  return error;
}
