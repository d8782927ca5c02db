/** `gatescope doctor [FILE]`: whether everything is here that the program needs, and whether a session file is whole to the last number. */
import Database from 'better-sqlite3';
import { Command } from 'commander';
import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { UserError } from '../../engine/base/errors.ts';
import { devices, parityText } from '../../engine/execute/devices.ts';
import { findSource } from '../../engine/tasks/imageSource.ts';
import { namedData } from '../host/describe/data.ts';
import { fileArgument } from './common.ts';
import { checkInEngine } from '../host/devices.ts';
import { jsonLine, print } from './output.ts';
import { ProgressLine } from './progressLine.ts';
import { defaultState } from './runState.ts';
import { aligned } from './table.ts';
import { openToRead, type Surroundings } from './work.ts';

/** `absent`: not here, and not needed. `broken`: something that is needed does not do its part. */
export interface Finding {
  readonly what: string;
  readonly state: 'ok' | 'absent' | 'broken';
  readonly detail: string;
}

export function doctorCommand(surroundings: Surroundings): Command {
  return new Command('doctor')
    .description('look whether everything is here that is needed, or whether a session file is whole')
    .addArgument(fileArgument().argOptional())
    .option('--json', 'print an array of JSON')
    .action(async (file: string | undefined, { json }: { json?: boolean }) => {
      const findings = file === undefined ? await installation(surroundings) : sessionFindings(file);
      await print(
        json
          ? jsonLine(findings)
          : `${aligned([['what', 'state', ''], ...findings.map(({ what, state, detail }) => [what, state, detail])])}\n`,
      );
      const broken = findings.filter(({ state }) => state === 'broken').map(({ what }) => what);
      if (broken.length > 0) throw new UserError(`doctor: ${file ?? 'installation'}`, 'must be whole', broken);
    });
}

async function installation({ signal, spawn }: Surroundings): Promise<Finding[]> {
  const line = new ProgressLine();
  const findings = [nodeFinding(), ...packageFindings(), sqliteFinding(), stateFinding(defaultState()), ...namedData.map(dataFinding)];
  try {
    for (const [i, device] of devices.entries()) {
      line.show({ stage: `trying ${device}`, done: i, total: devices.length });
      const report = await checkInEngine(device, signal, spawn);
      const needed = device === 'cpu';
      findings.push(
        report.runs
          ? { what: `device ${device}`, state: 'ok', detail: `as ${report.parity.reference} does: ${parityText(report.parity)}` }
          : { what: `device ${device}`, state: needed ? 'broken' : 'absent', detail: report.reason },
      );
    }
  } finally {
    line.clear();
  }
  return findings;
}

/** What the sources are run by: types are stripped from Node 22.18 on. */
function nodeFinding(): Finding {
  const [major, minor] = process.versions.node.split('.').map(Number);
  const runs = major > 22 || (major === 22 && minor >= 18);
  return {
    what: 'Node',
    state: runs ? 'ok' : 'broken',
    detail: `${process.version} at ${process.execPath}${runs ? '' : '; 22.18 or later is needed'}`,
  };
}

interface Manifest {
  readonly version: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const ROOT = new URL('../../', import.meta.url);
const manifest = (url: URL): Manifest => JSON.parse(readFileSync(new URL('package.json', url), 'utf8')) as Manifest;

function packageFindings(): Finding[] {
  const { dependencies = {}, optionalDependencies = {} } = manifest(ROOT);
  return Object.entries({ ...dependencies, ...optionalDependencies }).map(([name, wanted]) => {
    const folder = new URL(`node_modules/${name}/`, ROOT);
    const missing = Object.hasOwn(optionalDependencies, name) ? 'absent' : 'broken';
    if (!existsSync(folder)) return { what: name, state: missing, detail: 'not installed' };
    const { version } = manifest(folder);
    return {
      what: name,
      state: version === wanted ? 'ok' : 'broken',
      detail: version === wanted ? version : `${version}, where ${wanted} is needed`,
    };
  });
}

function sqliteFinding(): Finding {
  try {
    const database = new Database(':memory:');
    const version = database.prepare<[], { version: string }>('SELECT sqlite_version() AS version').get()!.version;
    database.close();
    return { what: 'SQLite', state: 'ok', detail: version };
  } catch (error) {
    return { what: 'SQLite', state: 'broken', detail: (error as Error).message };
  }
}

/** The folder itself comes with the first run. */
function stateFinding(folder: string): Finding {
  let there = folder;
  while (!existsSync(there) && dirname(there) !== there) there = dirname(there);
  try {
    accessSync(there, constants.W_OK);
    return { what: 'state', state: 'ok', detail: folder };
  } catch (error) {
    return { what: 'state', state: 'broken', detail: `${folder} cannot be written to (${(error as NodeJS.ErrnoException).code})` };
  }
}

function dataFinding(source: string): Finding {
  try {
    return { what: source, state: 'ok', detail: findSource(source).path };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { what: source, state: 'absent', detail: error.rule };
  }
}

/** Reads every number in it. @throws UserError for what is no session at all */
function sessionFindings(file: string): Finding[] {
  using session = openToRead(file);
  const problems = session.check();
  if (problems.length === 0) return [{ what: 'session', state: 'ok', detail: `${session.path} is whole` }];
  return problems.map((detail, i) => ({ what: `problem ${i + 1}`, state: 'broken', detail }));
}
