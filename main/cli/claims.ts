/** `gatescope claims`: what How Alignment Routes claims, what is measured here of it, and what follows from the numbers alone. */
import { Command, type OptionValues } from 'commander';
import { z } from 'zod';
import { wholeBetween } from '../../engine/base/schema.ts';
import { readPublishedFolder } from '../../engine/formats/publishedRouting/folder.ts';
import { importPublished } from '../../engine/formats/publishedRouting/importPublished.ts';
import { judgeAlignmentRoutes, type ClaimsInput, type JudgedClaim } from '../../engine/protocols/alignmentRoutesClaims.ts';
import { tierA, tierB } from '../../engine/protocols/policy.ts';
import type { PolicyReport } from '../../engine/protocols/policyReport.ts';
import { absolutePath, addCores, sessionOption } from './common.ts';
import { Flags } from './flags.ts';
import { OfferingOption } from './offers.ts';
import { jsonLine, print, warn } from './output.ts';
import { ProgressLine } from './progressLine.ts';
import { runProtocol, type RunSetting } from './runProtocol.ts';
import { defaultState, ownSession, stateFile, temporarySession } from './runState.ts';
import { figure } from './table.ts';
import type { Surroundings } from './work.ts';

const PLACE = 'claims';

const schema = z.strictObject({
  seeds: z
    .array(wholeBetween(0, Number.MAX_SAFE_INTEGER), 'must be a list of seeds')
    .default([])
    .meta({ description: 'of tier-b models to train and judge, such as 0 or 0-9; none unless given, for each takes minutes', range: true }),
});
const flags = new Flags(schema);

interface ClaimsOptions extends OptionValues {
  readonly published?: string;
  readonly session?: string;
  readonly cores: number;
  readonly json?: boolean;
}

export function claimsCommand(surroundings: Surroundings): Command {
  const command = new Command('claims')
    .description('tell what How Alignment Routes claims, and what of it is reproduced here')
    .addOption(new OfferingOption('--published <folder>', 'the paper’s own tables, as `import` reads them', { from: 'files' }))
    .addOption(sessionOption('the session that keeps what is done (made if it is not there)'));
  flags.addTo(command);
  return addCores(command, PLACE)
    .option('--json', 'print an array of JSON')
    .action(async (given: ClaimsOptions) => {
      const { seeds } = flags.parse(PLACE, given);
      const published =
        given.published === undefined
          ? undefined
          : importPublished(readPublishedFolder(absolutePath(given.published, `${PLACE}: --published`, 'folder')));
      const reports = await testbeds(seeds, given, surroundings);
      const judged = judgeAlignmentRoutes({ ...reports, ...(published && { published }) });
      await print(given.json ? jsonLine(judged) : claimsText(judged));
    });
}

async function testbeds(
  seeds: readonly number[],
  given: ClaimsOptions,
  surroundings: Surroundings,
): Promise<Pick<ClaimsInput, 'tierA' | 'tierB'>> {
  const kept =
    given.session === undefined
      ? temporarySession(stateFile(defaultState(), PLACE, seeds), ({ message }) => warn(message))
      : ownSession(absolutePath(given.session, `${PLACE}: --session`, 'file'));
  if (kept.session.notice !== undefined) warn(kept.session.notice);
  const line = new ProgressLine();
  const found = new Map<string, PolicyReport>();
  const setting = (name: string): RunSetting<PolicyReport> => ({
    ...surroundings,
    cores: given.cores,
    session: kept.session,
    onProgress: line.show,
    present: async (report) => void found.set(name, report),
  });
  try {
    await runProtocol(tierA, tierA.parse({}), setting('a'));
    for (const seed of seeds) await runProtocol(tierB, tierB.parse({ seed }), setting(`b${seed}`));
    kept.finished();
  } finally {
    line.clear();
    kept.close();
  }
  return { tierA: found.get('a')!, ...(seeds.length > 0 && { tierB: seeds.map((seed) => found.get(`b${seed}`)!) }) };
}

export function claimsText(claims: readonly JudgedClaim[]): string {
  return claims
    .map(({ claim, status, evidence }) => {
      const roads = evidence.flatMap(({ source, measured, rule, status: own }) => [
        `    ${source}: ${own}`,
        ...Object.entries(measured).map(([name, value]) => `      ${name} ${figure(value)}`),
        `      (${rule})`,
      ]);
      return `${status}: ${claim}\n${evidence.length === 0 ? '    nothing here speaks of it\n' : `${roads.join('\n')}\n`}`;
    })
    .join('\n');
}
