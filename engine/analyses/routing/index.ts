/** Analyses of policy circuits; ids are the file format. */
import type { AnyRoutingAnalysis } from './analysis.ts';

export const routingAnalyses: readonly AnyRoutingAnalysis[] = [];
