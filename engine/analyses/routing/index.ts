/** Analyses of policy circuits; ids are the file format. */
import type { AnyRoutingAnalysis } from './analysis.ts';
import { cipherContrast } from './cipherContrast.ts';
import { cipherInterchange } from './cipherInterchange.ts';
import { commitment } from './commitment.ts';
import { directLogitAttribution } from './directLogitAttribution.ts';
import { doseResponse } from './doseResponse.ts';
import { gateDose } from './gateDose.ts';
import { headAblation } from './headAblation.ts';
import { headInterchange } from './headInterchange.ts';
import { levels } from './levels.ts';
import { pathPatchingEdges } from './pathPatchingEdges.ts';
import { rescue } from './rescue.ts';

export const routingAnalyses: readonly AnyRoutingAnalysis[] = [
  directLogitAttribution,
  headInterchange,
  headAblation,
  pathPatchingEdges,
  doseResponse,
  gateDose,
  commitment,
  cipherInterchange,
  rescue,
  cipherContrast,
  levels,
];
