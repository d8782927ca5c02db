/** The registry of job kinds: what an engine can be asked for. A new kind is one file in this folder and one line here. */
import { analyses } from '../analyses/index.ts';
import type { JobKind } from '../contract.ts';
import { routingAnalyses } from '../analyses/routing/index.ts';
import { analysisJob } from './analyse.ts';
import { routingJob } from './analysePairs.ts';
import { checkDevice } from './checkDevice.ts';
import { interpolateMode } from './interpolateMode.ts';
import { drawImages } from './live/drawImages.ts';
import { liveAnswer } from './live/liveAnswer.ts';
import { pathAccuracy } from './live/pathAccuracy.ts';
import { planSweep } from './planSweep.ts';
import { readImages } from './readImages.ts';
import { readModel } from './readModel.ts';
import { trainClassifier } from './trainClassifier.ts';
import { trainPolicy } from './trainPolicy.ts';

export const jobKinds: readonly JobKind[] = [
  trainClassifier,
  trainPolicy,
  interpolateMode,
  ...analyses.map(analysisJob),
  ...routingAnalyses.map(routingJob),
  readImages,
  readModel,
  planSweep,
  checkDevice,
  liveAnswer,
  drawImages,
  pathAccuracy,
];
