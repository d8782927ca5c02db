/** `gatescope export FILE <what…>`: results for spreadsheets and notebooks, models for other programs, a copy for others. It computes nothing. */
import { Command } from 'commander';
import type { Form } from '../../engine/analyses/forward.ts';
import { UserError } from '../../engine/base/errors.ts';
import { writeNpz } from '../../engine/formats/npz.ts';
import { exportedResult, exportedRun, type ExportedResult } from '../export/exported.ts';
import { findingsArrays } from '../export/findingsArrays.ts';
import { findingsCsv } from '../export/findingsCsv.ts';
import { onnxFile, pythonFiles, safetensorsFile, type ExportedModel } from '../export/modelFiles.ts';
import { plainFindings } from '../export/plainFindings.ts';
import { writeFiles, type OutputFile } from '../export/writeFiles.ts';
import { languageModelFile } from '../export/languageModelFiles.ts';
import { wholeLanguageModel } from '../host/languageModels.ts';
import { modelTitles } from '../host/modelTitles.ts';
import { Session } from '../store/session.ts';
import { absolutePath, fileArgument } from './common.ts';
import { findAny, findModel } from './names.ts';
import { OfferingArgument, OfferingOption, valuesOffer } from './offers.ts';
import { jsonLine, print, warn } from './output.ts';
import { openToRead } from './work.ts';

const STDOUT = '-';

interface ResultFormat {
  readonly of: 'results';
  readonly content: (results: readonly ExportedResult[]) => Uint8Array | string;
}
interface ModelFormat {
  readonly of: 'model';
  readonly files: (model: ExportedModel, path: string, form: Form | undefined) => OutputFile[];
}

const plain = (results: readonly ExportedResult[]): string =>
  jsonLine({ results: results.map(({ findings, ...row }) => ({ ...row, findings: plainFindings(findings) })) });

const formats: Readonly<Record<string, ResultFormat | ModelFormat>> = {
  csv: { of: 'results', content: findingsCsv },
  json: { of: 'results', content: plain },
  npz: { of: 'results', content: (results) => writeNpz(findingsArrays(results)) },
  safetensors: { of: 'model', files: (model, path) => [{ path, content: safetensorsFile(model) }] },
  onnx: { of: 'model', files: (model, path, form) => [{ path, content: onnxFile(model, form) }] },
  'model.py': { of: 'model', files: pythonFiles },
};
const FORMS: readonly Form[] = ['soft', 'hard', 'base'];

interface ExportOptions {
  readonly format?: string;
  readonly output?: string;
  readonly form?: string;
  readonly share?: string;
  readonly force?: boolean;
  readonly json?: boolean;
}

export function exportCommand(): Command {
  return new Command('export')
    .description('write results or a model for other programs, or a copy of the session for others')
    .addArgument(fileArgument())
    .addArgument(new OfferingArgument('[what...]', 'results and runs (or all), or one model', { from: 'everything' }))
    .addOption(new OfferingOption('--format <format>', Object.keys(formats).join(', '), valuesOffer(Object.keys(formats))))
    .addOption(new OfferingOption('--output <path>', 'where to; - is stdout (default: - for csv and json)', { from: 'files' }))
    .addOption(new OfferingOption('--form <form>', 'of an onnx: soft, hard, base (default: as trained)', valuesOffer(FORMS)))
    .addOption(new OfferingOption('--share <copy>', 'write a copy of the session without weights and paths', { from: 'files' }))
    .option('--force', 'replace files that are there')
    .option('--json', 'print which files were written as one line of JSON')
    .action(async (file: string, what: readonly string[], options: ExportOptions) => {
      const files = await writtenFrom(file, what, options);
      logged(file, options.share === undefined ? ['export', { what, format: options.format, files }] : ['share', { files }]);
      if (files.length > 0) await print(options.json ? jsonLine({ files }) : files.map((path) => `${path}\n`).join(''));
    });
}

/** @returns paths that were written; none if it went to stdout */
async function writtenFrom(file: string, what: readonly string[], options: ExportOptions): Promise<string[]> {
  using session = openToRead(file);
  return options.share === undefined ? await exported(session, what, options) : await shared(session, what, options, options.share);
}

/** What left the session is in its log, unless nobody may write there: an export is not to fail for that. */
function logged(file: string, [verb, given]: readonly [verb: string, given: unknown]): void {
  try {
    using session = Session.open(file, 'write');
    session.act(verb, given);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    warn(`what was done is not in the log of the session: ${error.message}`);
  }
}

function refuse(option: string, rule: string, value: unknown): never {
  throw new UserError(`export: ${option}`, rule, value);
}

async function shared(
  session: Session,
  what: readonly string[],
  { format, output, form, force }: ExportOptions,
  share: string,
): Promise<string[]> {
  for (const [name, value] of Object.entries({ '--format': format, '--output': output, '--form': form, '--force': force, what: what[0] }))
    if (value !== undefined) refuse(name, 'must not be given with --share, which copies the session', value);
  const path = absolutePath(share, 'export: --share', 'file');
  try {
    await session.shareCopy(path);
  } catch (error) {
    throw error instanceof UserError && error.field === 'session: file'
      ? new UserError('export: --share', error.rule, path, { cause: error })
      : error;
  }
  return [path];
}

async function exported(
  session: Session,
  what: readonly string[],
  { format, output, form, force = false, json }: ExportOptions,
): Promise<string[]> {
  if (what.length === 0) refuse('what', 'must be given: results and runs (or all), or one model', '');
  if (format === undefined || !Object.hasOwn(formats, format))
    refuse('--format', `must be one of ${Object.keys(formats).join(', ')}`, format);
  if (form !== undefined && !FORMS.includes(form as Form)) refuse('--form', `must be one of ${FORMS.join(', ')}`, form);
  if (form !== undefined && format !== 'onnx')
    refuse('--form', `must be given with --format onnx only: ${format} has all forms or none`, form);
  const to = output ?? (format === 'csv' || format === 'json' ? STDOUT : undefined);
  if (to === undefined) refuse('--output', `must be given for ${format}`, to);
  if (to === '') refuse('--output', 'must name a file, or be -', to);
  if (to === STDOUT && json) refuse('--json', 'must be given with --output: it tells which files were written', STDOUT);
  if (to === STDOUT && format === 'model.py') refuse('--output', 'must be a file: the weights of model.py lie beside it', to);
  const files = (await languageFiles(session, what, format, to)) ?? filesOf(session, what, formats[format], to, form as Form | undefined);
  if (to !== STDOUT) return writeFiles(files, 'export: --output', { force });
  await print(files[0].content);
  return [];
}

/** Of a language model, which is one thing alone; undefined for anything else. */
async function languageFiles(session: Session, what: readonly string[], format: string, path: string): Promise<OutputFile[] | undefined> {
  if (what.length > 1 || what[0] === 'all') return undefined;
  const { kind, key } = findAny(session, what[0], 'export: what', ['model', 'languageModel', 'result', 'run']);
  if (kind !== 'languageModel') return undefined;
  const title = session.languageModels().find(({ digest }) => digest === key)!.label;
  const model = await wholeLanguageModel(session, key, 'export: what');
  return [languageModelFile({ digest: key, title, model }, format, path, 'export: --format')];
}

function filesOf(session: Session, what: readonly string[], format: ResultFormat | ModelFormat, path: string, form?: Form): OutputFile[] {
  if (format.of === 'results') return [{ path, content: format.content(resultsOf(session, what)) }];
  if (what.length > 1) refuse('what', 'must be one model for this format', what);
  const { digest } = findModel(session, what[0], 'export: what');
  return format.files({ digest, title: modelTitles(session.models()).get(digest)!, model: session.model(digest) }, path, form);
}

function resultsOf(session: Session, what: readonly string[]): ExportedResult[] {
  const keys = what.flatMap((text) => {
    if (text === 'all') return session.results().map(({ key }) => key);
    return [findAny(session, text, 'export: what', ['result', 'run']).key];
  });
  if (keys.length === 0) refuse('what', 'must be results of this session, which has none yet', what[0]);
  const titles = modelTitles(session.models());
  const runs = new Map(session.runs().map((run) => [run.key, run]));
  return [...new Set(keys)].map((key) => {
    const run = runs.get(key);
    return run ? exportedRun(session, run, titles.get(run.model ?? '') ?? run.label) : exportedResult(session, key);
  });
}
