/** Analyses of policy circuits; ids are the file format. */
import type { AnyRoutingAnalysis } from './analysis.ts';
import { policyCircuit } from './policyCircuit.ts';
import { siteSweep } from './siteSweep.ts';

export const routingAnalyses: readonly AnyRoutingAnalysis[] = [policyCircuit, siteSweep] as unknown as readonly AnyRoutingAnalysis[];
