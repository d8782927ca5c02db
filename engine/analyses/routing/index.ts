/** Analyses of policy circuits; ids are the file format. */
import type { AnyRoutingAnalysis } from './analysis.ts';
import { directLogitAttribution } from './directLogitAttribution.ts';
import { headAblation } from './headAblation.ts';
import { headInterchange } from './headInterchange.ts';
import { policyCircuit } from './policyCircuit.ts';
import { siteSweep } from './siteSweep.ts';

export const routingAnalyses: readonly AnyRoutingAnalysis[] = [
  directLogitAttribution,
  headInterchange,
  headAblation,
  policyCircuit,
  siteSweep,
];
