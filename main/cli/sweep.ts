/** `gatescope sweep`: the effect of every place that a query names, on a model from a Hugging Face folder and pairs of one's own. */
import { Command, type OptionValues } from 'commander';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { siteSweep, sweepOptions } from '../../engine/analyses/routing/siteSweep.ts';
import { UserError } from '../../engine/base/errors.ts';
import type { Findings } from '../../engine/base/findings.ts';
import { wholeBetween } from '../../engine/base/schema.ts';
import { chatRenderer } from '../../engine/formats/huggingface/chat.ts';
import { loadHuggingFace } from '../../engine/formats/huggingface/load.ts';
import { readTokenizer } from '../../engine/formats/huggingface/tokenizer.ts';
import type { SweepPlan } from '../../engine/jobs/planSweep.ts';
import type { ModelSummary } from '../../engine/jobs/readModel.ts';
import { encodePairs } from '../../engine/tasks/ownPairs.ts';
import { readPairTexts } from '../../engine/tasks/ownPairsFile.ts';
import type { PairSet } from '../../engine/tasks/pairs.ts';
import { canonicalDigest } from '../store/canonical.ts';
import { absolutePath, addCores, reworded, sessionOption } from './common.ts';
import { Flags } from './flags.ts';
import { OfferingOption } from './offers.ts';
import { jsonLine, print, warn } from './output.ts';
import { ProgressLine } from './progressLine.ts';
import { defaultState, ownSession, temporarySession } from './runState.ts';
import { cellsOf, planText, sweepText } from './sweepText.ts';
import { short } from './table.ts';
import { withEngines, type Engines, type Surroundings } from './work.ts';
import { z } from 'zod';

const PLACE = 'sweep';

const schema = sweepOptions.extend({
  seed: wholeBetween(0, Number.MAX_SAFE_INTEGER).default(0).meta({ description: 'of resamples, relabellings and bootstrap samples' }),
  length: wholeBetween(1, 1 << 24)
    .optional()
    .meta({ description: 'tokens of the prompts to take, where the file has pairs of several lengths' }),
  embed: z
    .boolean('must be true or false')
    .default(false)
    .meta({ description: 'whether the weights are kept in the session; else where they lie' }),
  chat: z
    .boolean('must be true or false')
    .default(false)
    .meta({ description: 'whether prompts are put into the model’s own template for conversations' }),
});
const flags = new Flags(schema);

interface SweepOptions extends OptionValues {
  readonly model?: string;
  readonly pairs?: string;
  readonly session?: string;
  readonly cores: number;
  readonly json?: boolean;
}

export function sweepCommand(surroundings: Surroundings): Command {
  const command = new Command('sweep')
    .description('change every place of a model that a query names, one by one, and measure what it does')
    .addOption(new OfferingOption('--model <folder>', 'a Hugging Face folder: config.json, safetensors, tokenizer.json', { from: 'files' }))
    .addOption(new OfferingOption('--pairs <file>', 'matched prompts, sensitive and control: JSON or CSV', { from: 'files' }))
    .addOption(sessionOption('the session that keeps the result (made if it is not there)'));
  flags.addTo(command);
  return addCores(command, PLACE)
    .option('--json', 'print every cell as one line of JSON')
    .action(async (given: SweepOptions) => {
      const options = flags.parse(PLACE, given);
      const folder = required(given.model, '--model', 'folder');
      const file = required(given.pairs, '--pairs', 'file');
      const { pairs, numbers } = readOwnPairs(folder, file, options);
      await sweep({ folder, file, pairs, numbers, options, given }, surroundings);
    });
}

function required(text: string | undefined, flag: string, what: string): string {
  if (text === undefined) throw new UserError(`${PLACE}: ${flag}`, `must be given: a ${what}`, text);
  return absolutePath(text, `${PLACE}: ${flag}`, what);
}

type Parsed = z.output<typeof schema>;

/** Pairs of one length, in tokens of the model, and which of the file they are. */
function readOwnPairs(folder: string, file: string, { length, chat }: Parsed): { pairs: PairSet; numbers: readonly number[] } {
  const tokenizer = readTokenizer(folder, `${PLACE}: --model`);
  const place = `${PLACE}: --pairs`;
  // How many positions the model has is checked by the engine, which reads the model.
  const options = { tokenizer, positions: 1 << 24, place, ...(chat && { render: chatRenderer(tokenizer, `${PLACE}: --chat`) }) };
  const groups = encodePairs(readPairTexts(file, place), options);
  const chosen = length === undefined ? groups : groups.filter(({ set }) => set.length === length);
  if (chosen.length === 1) return { pairs: chosen[0].set, numbers: chosen[0].numbers };
  const lengths = groups.map(({ set }) => `${set.pairs} of ${set.length} tokens`);
  if (length !== undefined && chosen.length > 1)
    throw new UserError(place, 'must have as many answers for every pair of one length', `${chosen.length} groups of ${length} tokens`);
  throw new UserError(
    length === undefined ? place : `${PLACE}: --length`,
    `must be of one length: choose with --length (there are ${lengths.join(', ')})`,
    length ?? file,
  );
}

interface Sweep {
  readonly folder: string;
  readonly file: string;
  readonly pairs: PairSet;
  readonly numbers: readonly number[];
  readonly options: Parsed;
  readonly given: SweepOptions;
}

async function sweep({ folder, file, pairs, numbers, options: parsed, given }: Sweep, { signal, spawn }: Surroundings): Promise<void> {
  const { seed, length: _length, chat: _chat, embed, ...options } = parsed;
  if (embed && given.session === undefined)
    throw new UserError(`${PLACE}: --embed`, 'must be given with --session, which keeps the weights', true);
  const kept =
    given.session === undefined
      ? temporarySession(stateOf(folder, [pairs, options, seed]), ({ message }) => warn(message))
      : ownSession(absolutePath(given.session, `${PLACE}: --session`, 'file'));
  const { session } = kept;
  if (session.notice !== undefined) warn(session.notice);
  const line = new ProgressLine();
  try {
    await withEngines(session, { cores: given.cores, spawn, signal }, async ({ submit, prepare }) => {
      const model = await submit<ModelSummary>({ kind: 'readModel', parameters: { model: { folder } } }, line.show).catch(inWords);
      const reference = { folder, digest: model.digest };
      const plan = await submit<SweepPlan>({ kind: 'planSweep', parameters: { model: reference, pairs, options } }).catch(inWords);
      line.clear();
      process.stderr.write(`${planText(plan)}\n`);
      session.putLoadedModel(model, { label: nameOf(folder) });
      if (embed) session.putLanguageModel(await loadHuggingFace(folder, { signal, place: `${PLACE}: --model` }), { label: nameOf(folder) });
      session.putPairSet(pairs, file);
      const request = { kind: siteSweep.id, parameters: { model: reference, label: nameOf(folder), pairs, seed, options } };
      const known = session.results().length;
      const findings = await submitted(submit, request, line);
      line.clear();
      const { key } = prepare(request);
      await print(
        given.json
          ? jsonLine(plainSweep(findings, { key, model, numbers, pairs, plan }))
          : `${sweepText(findings)}\nresult  ${short(key)}\n`,
      );
      kept.finished();
      if (session.results().length > known) session.act('sweep', { model: folder, pairs: file, result: key });
    });
  } finally {
    line.clear();
    kept.close();
  }
}

async function submitted(submit: Engines['submit'], request: { kind: string; parameters: unknown }, line: ProgressLine): Promise<Findings> {
  return submit<Findings>(request, line.show).catch(inWords);
}

/** What engines say of sites, models and pairs, in the words of the flags. */
function inWords(error: unknown): never {
  if (!(error instanceof UserError)) throw error;
  const [first, ...more] = error.field.replace(/^(siteSweep|planSweep): /, '').split(': ');
  if (['sites', 'model', 'pairs'].includes(first)) throw reworded(error, [`${PLACE}: --${first}`, ...more].join(': '), error.rule);
  throw error;
}

interface Around {
  readonly key: string;
  readonly model: ModelSummary;
  readonly numbers: readonly number[];
  readonly pairs: PairSet;
  readonly plan: SweepPlan;
}

function plainSweep(findings: Findings, { key, model: { folder, digest }, numbers, pairs, plan }: Around): object {
  const facts = Object.fromEntries(Object.entries(findings.facts).map(([name, value]) => [name, Number.isNaN(value) ? null : value]));
  return {
    key,
    model: { folder, digest },
    pairs: { count: pairs.pairs, length: pairs.length, numbers },
    plan,
    facts,
    cells: cellsOf(findings),
  };
}

const nameOf = (folder: string): string => folder.split(/[\\/]/).filter(Boolean).at(-1) ?? folder;

/** Of an interrupted sweep without a session: files of the model by names, sizes and times. */
function stateOf(folder: string, asked: unknown): string {
  const files = existsSync(folder) ? readdirSync(folder).sort() : [];
  const seen = files.map((name) => {
    const { size, mtimeMs } = statSync(join(folder, name));
    return [name, size, mtimeMs];
  });
  return join(defaultState(), `sweep-${canonicalDigest([folder, seen, asked]).slice(0, 24)}.gatescope`);
}
