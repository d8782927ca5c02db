/** The registry of job kinds: what an engine can be asked for. A new kind is one file in this folder and one line here. */
import { analyses } from '../analyses/index.ts';
import type { JobKind } from '../contract.ts';
import { analysisJob } from './analyse.ts';
import { checkDevice } from './checkDevice.ts';
import { interpolateMode } from './interpolateMode.ts';
import { drawImages } from './live/drawImages.ts';
import { liveAnswer } from './live/liveAnswer.ts';
import { pathAccuracy } from './live/pathAccuracy.ts';
import { readImages } from './readImages.ts';
import { trainClassifier } from './trainClassifier.ts';
import { trainPolicy } from './trainPolicy.ts';

export const jobKinds: readonly JobKind[] = [
  trainClassifier,
  trainPolicy,
  interpolateMode,
  ...analyses.map(analysisJob),
  readImages,
  checkDevice,
  liveAnswer,
  drawImages,
  pathAccuracy,
];
