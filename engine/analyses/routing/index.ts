/** Analyses of policy circuits; ids are the file format. */
import type { AnyRoutingAnalysis } from './analysis.ts';
import { attributionPatching } from './attributionPatching.ts';
import { bands } from './bands.ts';
import { behaviour } from './behaviour.ts';
import { cipherContrast } from './cipherContrast.ts';
import { cipherInterchange } from './cipherInterchange.ts';
import { commitment } from './commitment.ts';
import { directLogitAttribution } from './directLogitAttribution.ts';
import { doseResponse } from './doseResponse.ts';
import { edgeAttributionPatching } from './edgeAttributionPatching.ts';
import { gateDose } from './gateDose.ts';
import { gateIdentification } from './gateIdentification.ts';
import { headAblation } from './headAblation.ts';
import { headInterchange } from './headInterchange.ts';
import { knockoutCascade } from './knockoutCascade.ts';
import { levels } from './levels.ts';
import { pathPatchingEdges } from './pathPatchingEdges.ts';
import { relocation } from './relocation.ts';
import { rescue } from './rescue.ts';
import { siteSweep } from './siteSweep.ts';

export const routingAnalyses: readonly AnyRoutingAnalysis[] = [
  behaviour,
  directLogitAttribution,
  headInterchange,
  headAblation,
  knockoutCascade,
  bands,
  gateIdentification,
  relocation,
  attributionPatching,
  edgeAttributionPatching,
  pathPatchingEdges,
  doseResponse,
  gateDose,
  commitment,
  cipherInterchange,
  rescue,
  cipherContrast,
  levels,
  siteSweep,
];
