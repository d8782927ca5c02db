/** Analyses of policy circuits; ids are the file format. */
import type { AnyRoutingAnalysis } from './analysis.ts';
import { attributionPatching } from './attributionPatching.ts';
import { bands } from './bands.ts';
import { directLogitAttribution } from './directLogitAttribution.ts';
import { edgeAttributionPatching } from './edgeAttributionPatching.ts';
import { gateIdentification } from './gateIdentification.ts';
import { headAblation } from './headAblation.ts';
import { headInterchange } from './headInterchange.ts';
import { knockoutCascade } from './knockoutCascade.ts';
import { relocation } from './relocation.ts';

export const routingAnalyses: readonly AnyRoutingAnalysis[] = [
  directLogitAttribution,
  headInterchange,
  headAblation,
  knockoutCascade,
  bands,
  gateIdentification,
  relocation,
  attributionPatching,
  edgeAttributionPatching,
];
