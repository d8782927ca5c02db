/**
 * What is measured here of what How Alignment Routes claims, and what follows. Nothing here is tuned: the status of a claim is computed from
 * numbers that stand beside it, by rules that are written beside them.
 *
 * There are two roads: the authors' own tables, imported, and testbeds, measured here: circuits whose truth is known, and models of
 * several sizes. A claim that neither has numbers for
 * is said to be so.
 */
import type { PublishedResults } from '../formats/publishedRouting/importPublished.ts';
import { ALIGNMENT_ROUTES_CLAIMS, type ClaimId, type ClaimStatus, type Evidence } from './alignmentRoutesAbstract.ts';
import { judgePublished } from './alignmentRoutesPublished.ts';
import { judgeScales } from './alignmentRoutesScales.ts';
import { judgeTestbed, type TestbedReport } from './alignmentRoutesTestbed.ts';
import type { ScalesReport } from './policyScales.ts';

export interface JudgedClaim {
  readonly id: ClaimId;
  readonly claim: string;
  readonly status: ClaimStatus;
  /** Empty where nothing here speaks of it. */
  readonly evidence: readonly Evidence[];
}

export interface ClaimsInput {
  readonly published?: PublishedResults;
  readonly tierA?: TestbedReport;
  /** Accepted models only count (methods.md T20). */
  readonly tierB?: readonly TestbedReport[];
  /** Of its models, too, only accepted ones count. */
  readonly tierC?: ScalesReport;
}

/** Every claim, in the order of the abstract. */
export function judgeAlignmentRoutes({ published, tierA, tierB, tierC }: ClaimsInput): JudgedClaim[] {
  const accepted = (tierB ?? []).filter(({ accepted: good }) => good);
  const evidence = [
    ...(published ? judgePublished(published) : []),
    ...(tierA ? judgeTestbed('tier A', [tierA]) : []),
    ...(accepted.length > 0 ? judgeTestbed('tier B', accepted) : []),
    ...(tierC ? judgeScales(tierC) : []),
  ];
  return (Object.keys(ALIGNMENT_ROUTES_CLAIMS) as ClaimId[]).map((id) => {
    const own = evidence.filter(({ claim }) => claim === id);
    return { id, claim: ALIGNMENT_ROUTES_CLAIMS[id], status: overall(own), evidence: own };
  });
}

/** Reproduced if every road says so; in sign only if some road has at least the sign; otherwise not reproducible here. */
export function overall(evidence: readonly Pick<Evidence, 'status'>[]): ClaimStatus {
  if (evidence.length > 0 && evidence.every(({ status }) => status === 'reproduced')) return 'reproduced';
  return evidence.some(({ status }) => status !== 'not reproducible here') ? 'in sign only' : 'not reproducible here';
}
