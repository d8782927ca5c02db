/**
 * Runs a protocol on engines of its own, from what the session has of it already to what is printed. Whatever fails, on whatever disk: what
 * is finished stays in the session, and is never called kept when it is not.
 */
import { UserError } from '../../engine/base/errors.ts';
import type { JobKind, Progress } from '../../engine/contract.ts';
import type { Protocol } from '../../engine/protocols/protocol.ts';
import { dataReference, type DataReference } from '../../engine/tasks/dataReference.ts';
import { reportKey } from '../host/prepare.ts';
import type { SpawnEngine } from '../host/spawn.ts';
import { fieldOf } from '../store/records.ts';
import type { Session } from '../store/session.ts';
import { withEngines } from './work.ts';

export interface RunSetting<Report> {
  readonly cores: number;
  /** Open to writing; closed by whoever opened it. */
  readonly session: Session;
  readonly spawn: SpawnEngine;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: Progress) => void;
  /** Hands the report over. */
  readonly present: (report: Report) => Promise<void>;
  /** What the engines know; all kinds of jobs unless given. */
  readonly kinds?: readonly JobKind[];
}

/** @throws UserError also after the report was presented, if anything on the way to it could not be kept */
export async function runProtocol<Options, Report>(
  protocol: Protocol<Options, Report>,
  options: Options,
  { session, onProgress, present, ...setting }: RunSetting<Report>,
): Promise<void> {
  await withEngines(session, setting, async ({ submit, identify, lose }) => {
    const identified = await withKnownData(options, identify);
    const report = await protocol.run(identified, submit, onProgress);
    try {
      session.saveReport(reportKey(protocol, identified), protocol.id, protocol.version, protocol.findings(report), identified);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      lose(error);
    }
    await present(report);
  });
}

/** A protocol's options, if they name data, with the digest of these. */
async function withKnownData<Options>(options: Options, identify: (reference: DataReference) => Promise<DataReference>): Promise<Options> {
  const named = dataReference.safeParse(fieldOf(options, 'data') ?? null);
  return named.success ? { ...options, data: await identify(named.data) } : options;
}
