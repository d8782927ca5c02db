/** Analyses of policy circuits; ids are the file format. */
import type { AnyRoutingAnalysis } from './analysis.ts';

import { policyCircuit } from './policyCircuit.ts';

export const routingAnalyses: readonly AnyRoutingAnalysis[] = [policyCircuit as unknown as AnyRoutingAnalysis];
