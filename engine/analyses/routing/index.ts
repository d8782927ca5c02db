/** Analyses of policy circuits; ids are the file format. */
import type { AnyRoutingAnalysis } from './analysis.ts';
import { commitment } from './commitment.ts';
import { doseResponse } from './doseResponse.ts';
import { gateDose } from './gateDose.ts';
import { pathPatchingEdges } from './pathPatchingEdges.ts';

export const routingAnalyses: readonly AnyRoutingAnalysis[] = [pathPatchingEdges, doseResponse, gateDose, commitment];
