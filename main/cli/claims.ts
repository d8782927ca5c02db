/** `gatescope claims`: what How Alignment Routes claims, what is measured here of it, and what follows from the numbers alone. */
import { Command, type OptionValues } from 'commander';
import { z } from 'zod';
import type { Request } from '../../engine/contract.ts';
import { wholeBetween } from '../../engine/base/schema.ts';
import { readPublishedFolder } from '../../engine/formats/publishedRouting/folder.ts';
import { importPublished } from '../../engine/formats/publishedRouting/importPublished.ts';
import { judgeAlignmentRoutes, type ClaimsInput, type JudgedClaim } from '../../engine/protocols/alignmentRoutesClaims.ts';
import type { TestbedReport } from '../../engine/protocols/alignmentRoutesTestbed.ts';
import { amplifiersOf, thresholdsOf, tierA, tierASubjects, tierB, tierBSubject } from '../../engine/protocols/policy.ts';
import type { PolicyReport } from '../../engine/protocols/policyReport.ts';
import { headNumbers, tierC } from '../../engine/protocols/policyScales.ts';
import type { Submit } from '../../engine/protocols/protocol.ts';
import { absolutePath, addCores, sessionOption } from './common.ts';
import { Flags } from './flags.ts';
import { OfferingOption } from './offers.ts';
import { jsonLine, print, warn } from './output.ts';
import { ProgressLine } from './progressLine.ts';
import { defaultState, ownSession, stateFile, temporarySession } from './runState.ts';
import { figure } from './table.ts';
import { withEngines, type Surroundings } from './work.ts';

const PLACE = 'claims';

const schema = z.strictObject({
  seeds: z
    .array(wholeBetween(0, Number.MAX_SAFE_INTEGER), 'must be a list of seeds')
    .default([])
    .meta({ description: 'of tier-b models to train and judge, such as 0 or 0-9; none unless given, for each takes minutes', range: true }),
  heads: headNumbers
    .default([])
    .meta({ description: 'in a layer of tier-c models to train and judge, such as 2,4,8,16; none unless given, for each takes minutes' }),
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
      const chosen = flags.parse(PLACE, given);
      const published =
        given.published === undefined
          ? undefined
          : importPublished(readPublishedFolder(absolutePath(given.published, `${PLACE}: --published`, 'folder')));
      const reports = await testbeds(chosen, given, surroundings);
      const judged = judgeAlignmentRoutes({ ...reports, ...(published && { published }) });
      await print(given.json ? jsonLine(judged) : claimsText(judged));
    });
}

async function testbeds(
  chosen: z.output<typeof schema>,
  given: ClaimsOptions,
  surroundings: Surroundings,
): Promise<Pick<ClaimsInput, 'tierA' | 'tierB' | 'tierC'>> {
  const { seeds, heads } = chosen;
  const kept =
    given.session === undefined
      ? temporarySession(stateFile(defaultState(), PLACE, chosen), ({ message }) => warn(message))
      : ownSession(absolutePath(given.session, `${PLACE}: --session`, 'file'));
  const { session } = kept;
  if (session.notice !== undefined) warn(session.notice);
  const line = new ProgressLine();
  try {
    return await withEngines(session, { ...surroundings, cores: given.cores }, async (engines) => {
      const submit: Submit = <Result>(request: Request) => engines.submit<Result>(request, line.show);
      const options = tierA.parse({});
      const of = async (report: PolicyReport, subject: Parameters<typeof amplifiersOf>[1]): Promise<TestbedReport> => ({
        ...report,
        amplifiers: await amplifiersOf(submit, subject, report.gate),
        thresholds: await thresholdsOf(submit, subject, report.gate),
      });
      const first = await of(await tierA.run(options, submit, () => undefined), tierASubjects(options).high);
      const trained: TestbedReport[] = [];
      for (const seed of seeds) {
        const asked = tierB.parse({ seed });
        const report = await tierB.run(asked, submit, () => undefined);
        trained.push(await of(report, (await tierBSubject(asked, submit)).subject));
      }
      const scales = heads.length > 0 ? await tierC.run(tierC.parse({ heads }), submit, () => undefined) : undefined;
      kept.finished();
      return { tierA: first, ...(seeds.length > 0 && { tierB: trained }), ...(scales && { tierC: scales }) };
    });
  } finally {
    line.clear();
    kept.close();
  }
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
