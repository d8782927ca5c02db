/** `gatescope show FILE [id]`: what a session holds. It computes nothing and writes nothing, also while somebody else writes. */
import { Command } from 'commander';
import { basename } from 'node:path';
import { adapterOf } from '../../engine/models/adapters/index.ts';
import { countParameters } from '../../engine/models/parameters.ts';
import { withDataNamed } from '../export/dataNames.ts';
import { plainFindings } from '../export/plainFindings.ts';
import { modelTensors } from '../export/modelTensors.ts';
import { modelTitles } from '../host/modelTitles.ts';
import { currentVersions } from '../host/versions.ts';
import type { ModelRow } from '../store/models.ts';
import type { Note } from '../store/notes.ts';
import type { ResultRow } from '../store/results.ts';
import type { Session } from '../store/session.ts';
import { fileArgument } from './common.ts';
import { findingsText } from './findingsText.ts';
import { findAny } from './names.ts';
import { OfferingArgument } from './offers.ts';
import { jsonLine, print } from './output.ts';
import { showLanguageModel, showPairs, type Shown } from './showLanguage.ts';
import { figure, listed, section, short } from './table.ts';
import { openToRead } from './work.ts';

export function showCommand(): Command {
  return new Command('show')
    .description('show what a session holds, or one thing of it; computes nothing')
    .addArgument(fileArgument())
    .addArgument(
      new OfferingArgument('[id]', 'a model, run, result or set of pairs: its title, or the beginning of its digest or key', {
        from: 'everything',
      }),
    )
    .option('--json', 'print one line of JSON')
    .action(async (file: string, id: string | undefined, { json }: { json?: boolean }) => {
      using session = openToRead(file);
      if (id === undefined) return print(json ? jsonLine(overview(session)) : overviewText(session));
      const { kind, key } = findAny(session, id, 'show: id', ['model', 'languageModel', 'run', 'result', 'pairs']);
      const shown = { model: showModel, languageModel: noted(showLanguageModel), run: showRun, result: showResult, pairs: showPairs }[kind](
        session,
        key,
      );
      await print(json ? jsonLine({ kind, ...shown.plain }) : shown.text);
    });
}

/** Its first three fields are fixed: scripts read them. */
function overview(session: Session) {
  const titles = modelTitles(session.models());
  return {
    results: session.results(currentVersions),
    runs: session.runs(currentVersions),
    models: session.models().map((row) => ({ ...row, title: titles.get(row.digest) })),
    languageModels: session.languageModels(),
    pairSets: session.pairSets(),
    corpora: session.corpora(),
    notes: session.notes(),
    session: session.info,
  };
}

function overviewText(session: Session): string {
  const { name, created, application, weights } = session.info;
  const models = session.models();
  const titles = modelTitles(models);
  const head = [
    `session  ${name} (${basename(session.path)})`,
    `made     ${when(created)}, by gatescope ${application}`,
    ...(weights ? [] : ['weights  not in this copy']),
    ...session.corpora().map(({ digest, source }) => `images   ${basename(source)}, ${short(digest)}`),
  ];
  return [
    `${head.join('\n')}\n`,
    section('Models', [
      ['digest', 'model', 'widths', 'at'],
      ...models.map(({ digest, widths, at }) => [short(digest), titles.get(digest)!, widths.join('-'), when(at)]),
    ]),
    section('Language models', [
      ['digest', 'model', 'layers', 'heads', 'width', 'numbers', 'weights', 'at'],
      ...session
        .languageModels()
        .map(({ digest, label, layers, heads, width, parameters, embedded, at }) => [
          short(digest),
          label,
          ...[layers, heads, width, parameters].map(String),
          embedded ? 'here' : 'elsewhere',
          when(at),
        ]),
    ]),
    section('Pairs of prompts', [
      ['digest', 'source', 'pairs', 'tokens', 'arms', 'at'],
      ...session
        .pairSets()
        .map(({ digest, source, pairs, length, arms, at }) => [
          short(digest),
          source,
          String(pairs),
          String(length),
          arms.join(', '),
          when(at),
        ]),
    ]),
    section('Runs', [
      ['key', 'run', 'seed', 'state', 'model', 'trained', 'seconds', 'at'],
      ...session
        .runs()
        .map(({ key, label, seed, state, model, languageModel, parameters, seconds, at }) => [
          short(key),
          label,
          optional(seed),
          state,
          short(model ?? languageModel ?? ''),
          optional(parameters),
          seconds === undefined ? '' : seconds.toFixed(1),
          when(at),
        ]),
    ]),
    section('Results', [
      ['key', 'analysis', 'models', 'seed', 'at', ''],
      ...session
        .results(currentVersions)
        .map((row) => [short(row.key), row.analysis, about(row, titles), optional(row.seed), when(row.at), row.outdated ? 'outdated' : '']),
    ]),
    section('Notes', notesTable(session.notes())),
  ].join('');
}

const optional = (value: number | undefined): string => (value === undefined ? '' : String(value));
/** To the minute, as the file has it (UTC). */
const when = (at: string): string => at.slice(0, 16).replace('T', ' ');

function about({ models: ofImages, languageModels }: ResultRow, titles: ReadonlyMap<string, string>): string {
  const models = [...ofImages, ...languageModels];
  if (models.length === 0) return '';
  const [{ digest, label }] = models;
  const first = titles.get(digest) ?? label;
  return models.length === 1 ? first : `${first} and ${models.length - 1} more`;
}

export function notesTable(notes: readonly Note[]): string[][] {
  return [
    ['id', 'on', 'unit', '', 'note', 'at'],
    ...notes.map(({ id, subject: { kind, key, unit = '' }, text, bookmark, at }) => [
      String(id),
      key === '' ? kind : `${kind} ${short(key)}`,
      unit,
      bookmark ? '★' : '',
      text.replaceAll('\n', ' '),
      when(at),
    ]),
  ];
}

function showResult(session: Session, key: string): Shown {
  const { row, findings } = session.result(key, currentVersions);
  const titles = modelTitles(session.models());
  const facts = [
    ['result', row.key],
    ['analysis', `${row.analysis}, version ${row.version}${row.outdated ? ' (there is a newer one: analyse again to compare)' : ''}`],
    ['digest', row.digest],
    ...[...row.models, ...row.languageModels].map(({ label, digest }) => ['model', `${short(digest)}  ${titles.get(digest) ?? label}`]),
    ...row.pairSets.map((digest) => ['pairs', short(digest)]),
    ...(row.seed === undefined ? [] : [['seed', String(row.seed)]]),
    ['at', when(row.at)],
  ];
  return {
    plain: { ...row, findings: plainFindings(findings) },
    text: `${listed(facts)}\n${findingsText(withDataNamed(findings, session.corpora()))}${notesOn(session, key)}`,
  };
}

function showRun(session: Session, key: string): Shown {
  const row = session.runs().find((run) => run.key === key)!;
  const series = session.series(key);
  const facts = [
    ['run', row.key],
    ['stage', row.label],
    ['state', row.state],
    ...(row.seed === undefined ? [] : [['seed', String(row.seed)]]),
    ...(row.model === undefined ? [] : [['model', `${short(row.model)}  ${modelTitles(session.models()).get(row.model) ?? ''}`]]),
    ...(row.languageModel === undefined ? [] : [['model', `${short(row.languageModel)}  ${row.label}`]]),
    ...(row.parameters === undefined ? [] : [['trained', `${row.parameters} numbers`]]),
    ...(row.seconds === undefined ? [] : [['seconds', row.seconds.toFixed(1)]]),
    ...Object.entries(row.provenance).map(([name, value]) => [name, String(value)]),
    ['at', when(row.at)],
  ];
  const table = [
    ['series', 'unit', 'steps', 'first', 'last', 'least', 'most'],
    ...series.map(({ name, unit, values }) => {
      // What is measured now and then is NaN in between.
      const numbers = Array.from(values as ArrayLike<number>).filter((value) => !Number.isNaN(value));
      const ends = [numbers[0], numbers.at(-1)!, extreme(numbers, Math.min), extreme(numbers, Math.max)];
      return [name, unit, String(values.length), ...(numbers.length > 0 ? ends.map(figure) : ['', '', '', ''])];
    }),
  ];
  return {
    plain: { ...row, series: series.map(({ name, unit, values }) => ({ name, unit, values: Array.from(values as ArrayLike<number>) })) },
    text: `${listed(facts)}${section('Series', table)}${notesOn(session, key)}`,
  };
}

/** Not `Math.min(...values)`: a long run has more steps than a call has room for. */
const extreme = (values: readonly number[], of: (a: number, b: number) => number): number => values.reduce((a, b) => of(a, b), values[0]);

function showModel(session: Session, digest: string): Shown {
  const row = session.models().find((model) => model.digest === digest)!;
  const tensors = session.info.weights ? modelTensors(session.model(digest)) : [];
  const table = [
    ['tensor', 'shape', 'numbers', 'least', 'most'],
    ...tensors.map(({ name, shape, data }) => {
      const numbers = Array.from(data);
      return [name, shape.join(' × '), String(data.length), figure(extreme(numbers, Math.min)), figure(extreme(numbers, Math.max))];
    }),
  ];
  return {
    plain: {
      ...row,
      title: modelTitles(session.models()).get(digest),
      tensors: tensors.map(({ name, shape }) => ({ name, shape, dtype: 'float32' })),
    },
    text: `${listed(modelFacts(session, row))}${section('Tensors', table)}${notesOn(session, digest)}`,
  };
}

function modelFacts(session: Session, row: ModelRow): string[][] {
  const { digest, base, adapter, adapterAngles = [], widths, angles, seed, at } = row;
  const titles = modelTitles(session.models());
  const own = adapter === undefined ? undefined : adapterOf(adapter).parameters({ widths }, adapterAngles.length);
  return [
    ['model', titles.get(digest)!],
    ['digest', digest],
    ...(base === undefined ? [] : [['base', `${short(base)}  ${titles.get(base) ?? ''}`]]),
    ...(own
      ? [
          ['adapter', `${adapter}, ${countParameters(own)} numbers`],
          ['modes', adapterAngles.map((angle) => `${angle}°`).join(', ')],
        ]
      : []),
    ['widths', widths.join('-')],
    ['angles', angles.map((angle) => `${angle}°`).join(', ')],
    ['seed', String(seed)],
    ['at', when(at)],
  ];
}

/** With the notes below it. */
const noted =
  (show: (session: Session, key: string) => Shown) =>
  (session: Session, key: string): Shown => {
    const { plain, text } = show(session, key);
    return { plain, text: `${text}${notesOn(session, key)}` };
  };

const notesOn = (session: Session, key: string): string =>
  section('Notes', notesTable(session.notes().filter(({ subject }) => subject.key === key)));
