/** `gatescope run <protocol>`: a published experiment from data to table. Each protocol's schema says which flags it has. */
import { Command, type OptionValues } from 'commander';
import { UserError } from '../../engine/base/errors.ts';
import type { DopamineReport } from '../../engine/protocols/dopamineReport.ts';
import { allProtocols } from '../../engine/protocols/index.ts';
import type { PolicyReport } from '../../engine/protocols/policyReport.ts';
import type { Protocol } from '../../engine/protocols/protocol.ts';
import type { DataReference } from '../../engine/tasks/dataReference.ts';
import { withDataNamed } from '../export/dataNames.ts';
import { namedData } from '../host/describe/data.ts';
import { absolutePath, addCores, ADAPTER_SUGGESTIONS, dataSource, nearestText, sessionOption } from './common.ts';
import { dopamineTable } from './dopamineTable.ts';
import { findingsText } from './findingsText.ts';
import { Flags } from './flags.ts';
import { OfferingOption } from './offers.ts';
import { jsonLine, print, warn } from './output.ts';
import { policyTable } from './policyTable.ts';
import { ProgressLine } from './progressLine.ts';
import { runProtocol } from './runProtocol.ts';
import { defaultState, ownSession, stateFile, temporarySession } from './runState.ts';
import type { Surroundings } from './work.ts';

type AnyProtocol = Protocol<Record<string, unknown>, unknown>;

interface RunOptions extends OptionValues {
  readonly cores: number;
  readonly state: string;
  readonly session?: string;
  readonly json?: boolean;
}

/** What is printed of a report; of other protocols, their findings. */
const tables: Readonly<Record<string, (report: never) => string>> = {
  dopamine: (report: DopamineReport) => dopamineTable(report),
  'tier-a': (report: PolicyReport) => policyTable(report),
  'tier-b': (report: PolicyReport) => policyTable(report),
};

export function runCommand(surroundings: Surroundings): Command {
  const ids = allProtocols.map(({ id }) => id);
  const command = new Command('run')
    .description('run a published experiment and report what holds of it')
    .usage('<protocol> [options]')
    .argument('<protocol>', `one of: ${ids.join(', ')}`)
    // What follows an unknown protocol is its own business; the protocol is the mistake.
    .allowUnknownOption()
    .allowExcessArguments()
    .action((id: string) => {
      throw new UserError('run: protocol', `must be one of ${ids.join(', ')}${nearestText(id, ids)}`, id);
    });
  for (const protocol of allProtocols) command.addCommand(commandOf(protocol, surroundings));
  return command;
}

function commandOf(protocol: AnyProtocol, surroundings: Surroundings): Command {
  const place = `run ${protocol.id}`;
  const flags = new Flags(protocol.options, { suggestions: { 'data.source': namedData, adapters: ADAPTER_SUGGESTIONS } });
  const command = flags.addTo(new Command(protocol.id).description(protocol.title));
  return addCores(command, place)
    .addOption(sessionOption('the session that keeps what is done (made if it is not there)'))
    .addOption(
      new OfferingOption('--state <folder>', 'where a run without a session is kept until it is finished', { from: 'files' }).default(
        defaultState(),
      ),
    )
    .option('--json', 'print the report as one line of JSON')
    .action(async (given: RunOptions) => {
      const parsed = flags.parse(place, given);
      const data = parsed.data as DataReference | undefined;
      const options = data ? { ...parsed, data: { ...data, source: dataSource(data.source) } } : parsed;
      await run(protocol, options, given, surroundings);
    });
}

async function run(
  protocol: AnyProtocol,
  options: { data?: DataReference },
  given: RunOptions,
  { signal, spawn }: Surroundings,
): Promise<void> {
  const { cores, json } = given;
  const place = `run ${protocol.id}`;
  const state = absolutePath(given.state, `${place}: --state`, 'folder');
  const own = given.session === undefined ? undefined : absolutePath(given.session, `${place}: --session`, 'file');
  const kept =
    own === undefined
      ? temporarySession(stateFile(state, protocol.id, options, options.data?.source), ({ message }) => warn(message))
      : ownSession(own);
  const { session } = kept;
  if (session.notice !== undefined) warn(session.notice);
  const before = session.results().length;
  const line = new ProgressLine();
  const table = (tables[protocol.id] ??
    ((report: unknown) => findingsText(withDataNamed(protocol.findings(report), session.corpora())))) as (report: unknown) => string;
  try {
    await runProtocol(protocol, options, {
      cores,
      session,
      spawn,
      signal,
      onProgress: line.show,
      present: async (report) => {
        line.clear();
        await print(json ? jsonLine(report) : table(report));
        kept.finished();
        if (session.results().length > before) session.act('run', { protocol: protocol.id, options });
      },
    });
  } finally {
    line.clear();
    kept.close();
  }
}
