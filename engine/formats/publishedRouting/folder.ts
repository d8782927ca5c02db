/**
 * The published result folder of How Alignment Routes (arXiv:2604.04385; repository gregfrank/how-alignment-routes, MIT) as texts by path, and
 * which of its files say what. What the texts hold is read by tables.ts.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../../base/errors.ts';

/** Texts by path below `results/`, with `/` between folders, and the licence that lies beside that folder. */
export interface PublishedFolder {
  readonly files: ReadonlyMap<string, string>;
  readonly licence: string;
}

export type Experiment = 'attribution' | 'ablation' | 'interchange' | 'cascade' | 'knockoutNull' | 'cipherContrast' | 'cipherInterchange';

/** Files of one run of one model. */
export interface Run {
  readonly experiment: Experiment;
  /** As the folder spells it: `gemma2_2b`. */
  readonly model: string;
  /** Path of the run's folder: `panel/gemma2_2b/interchange`. */
  readonly path: string;
  /** What sets it apart from other runs of the experiment: `cc` (heads chosen by cipher contrast), `adv`, `v2`, `discovery`; empty for the one. */
  readonly variant: string;
  /** Names of its files. */
  readonly files: readonly string[];
}

const TABLES: Readonly<Record<Experiment, readonly string[]>> = {
  attribution: ['head_summary.csv', 'run_manifest.json'],
  ablation: ['head_ablate_summary.csv', 'run_manifest.json'],
  interchange: ['head_interchange_summary.csv', 'run_manifest.json'],
  cascade: ['cascade_summary.csv', 'run_manifest.json'],
  knockoutNull: ['knockout_null_distribution.csv', 'knockout_null_summary.json'],
  cipherContrast: ['cipher_diagnostic_all_heads.csv', 'cipher_diagnostic_summary.json'],
  cipherInterchange: ['interchange_cipher_pairwise.csv', 'interchange_cipher_summary.json'],
};

const BY_FOLDER: Readonly<Record<string, Experiment>> = {
  headDLA: 'attribution',
  headablate: 'ablation',
  interchange: 'interchange',
  cipher_contrast: 'cipherContrast',
};

/** The discovery runs name no model: the repository's index has them as Qwen3-8B on 24 pairs. */
const DISCOVERY_MODEL = 'qwen3_8b';

/** Other experiments of the repository: there is nothing here that reads them. */
const NOT_READ = new Set(
  (
    'band_behavioral band_interchange bijection corpus_robustness dla_robustness dose_response intent_separation intermediate_dla ' +
    'language_routing m62_routing_localization m75_contextual_detection rescue refined_bands EXPERIMENT_INDEX.md'
  ).split(' '),
);

const MOST_FILES = 2000;
const MOST_BYTES = 16 * 2 ** 20;

/**
 * Reads the repository's folder, or its `results` folder itself.
 * @throws UserError for a folder that is not there, has no results, or has too many or too large files
 */
export function readPublishedFolder(folder: string): PublishedFolder {
  const place = 'published results: folder';
  const isFolder = (path: string) => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
  if (!isFolder(folder)) throw new UserError(place, 'must be a folder', folder);
  const within = isFolder(join(folder, 'results'));
  const results = within ? join(folder, 'results') : folder;
  const files = new Map<string, string>();
  const textOf = (path: string, name: string) => {
    const { size } = statSync(path);
    if (size > MOST_BYTES) throw new UserError(`published results: ${name}`, `must be at most ${MOST_BYTES} bytes`, size);
    return readFileSync(path, 'utf8');
  };
  const names = readdirSync(results, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(results.length).replaceAll('\\', '/').replace(/^\/+/, ''))
    .sort();
  if (names.length > MOST_FILES) throw new UserError(place, `must hold at most ${MOST_FILES} files`, names.length);
  // What is not read may be large; its name is enough.
  for (const name of names) files.set(name, NOT_READ.has(name.split('/')[0]) ? '' : textOf(join(results, name), name));
  const licence = join(within ? folder : join(folder, '..'), 'LICENSE');
  return { files, licence: statSync(licence, { throwIfNoEntry: false })?.isFile() ? textOf(licence, 'LICENSE') : '' };
}

/**
 * Sorts the files into runs. @returns also the paths of the repository's other experiments
 * @throws UserError for a file that belongs to none, and for a folder without runs
 */
export function runsOf({ files }: PublishedFolder): { runs: Run[]; notRead: string[] } {
  const byPath = new Map<string, Run & { files: string[] }>();
  const notRead: string[] = [];
  for (const path of [...files.keys()].sort()) {
    if (NOT_READ.has(path.split('/')[0])) {
      notRead.push(path);
      continue;
    }
    const folder = path.slice(0, Math.max(0, path.lastIndexOf('/')));
    const name = path.slice(folder.length).replace('/', '');
    const run = runAt(folder);
    if (!run || !TABLES[run.experiment].includes(name))
      throw new UserError(
        `published results: ${path}`,
        'must be a known table of How Alignment Routes',
        run ? TABLES[run.experiment] : path,
      );
    const known = byPath.get(folder);
    if (known) known.files.push(name);
    else byPath.set(folder, { ...run, files: [name] });
  }
  if (byPath.size === 0)
    throw new UserError('published results: folder', 'must hold tables such as panel/<model>/headDLA/head_summary.csv', '');
  return { runs: [...byPath.values()], notRead };
}

function runAt(folder: string): Omit<Run, 'files'> | undefined {
  const parts = folder.split('/');
  const [top, model = '', last = ''] = parts;
  const named = (name: string, runOf: string, variant?: string): Omit<Run, 'files'> | undefined => {
    const [, kind, suffix = ''] = /^([a-zA-Z]+(?:_contrast)?)(?:_(\w+))?$/.exec(name) ?? [];
    const experiment = Object.hasOwn(BY_FOLDER, kind ?? '') ? BY_FOLDER[kind] : undefined;
    return experiment && { experiment, model: runOf, path: folder, variant: variant ?? suffix };
  };
  if (!/^\w+$/.test(model)) return undefined;
  if (top === 'panel' && parts.length === 3) return named(last, model);
  if (top === 'discovery_pipeline' && parts.length === 2) return named(model, DISCOVERY_MODEL, 'discovery');
  const one = (experiment: Experiment, runOf: string) => ({ experiment, model: runOf, path: folder, variant: '' });
  if (top === 'knockout' && parts.length === 3 && model === 'null') return one('knockoutNull', last);
  if (top === 'knockout' && parts.length === 2) return one('cascade', model);
  if (top === 'cipher_contrast' && parts.length === 2) return one('cipherContrast', model);
  if (top === 'cipher_interchange' && parts.length === 2) return one('cipherInterchange', model);
  return undefined;
}
