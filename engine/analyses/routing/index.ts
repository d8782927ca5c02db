/** Analyses of policy circuits; ids are the file format. */
import type { AnyRoutingAnalysis } from './analysis.ts';
import { commitment } from './commitment.ts';
import { directLogitAttribution } from './directLogitAttribution.ts';
import { doseResponse } from './doseResponse.ts';
import { gateDose } from './gateDose.ts';
import { headAblation } from './headAblation.ts';
import { headInterchange } from './headInterchange.ts';
import { pathPatchingEdges } from './pathPatchingEdges.ts';
import { policyCircuit } from './policyCircuit.ts';
import { siteSweep } from './siteSweep.ts';

export const routingAnalyses: readonly AnyRoutingAnalysis[] = [
  directLogitAttribution,
  headInterchange,
  headAblation,
  commitment,
  doseResponse,
  gateDose,
  pathPatchingEdges,
  policyCircuit,
  siteSweep,
];
