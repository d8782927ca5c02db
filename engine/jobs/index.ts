/** The registry of job kinds: what an engine can be asked for. A new kind is one file in this folder and one line here. */
import { analyses } from '../analyses/index.ts';
import type { JobKind } from '../contract.ts';
import { analysisJob } from './analyse.ts';
import { checkDevice } from './checkDevice.ts';
import { readImages } from './readImages.ts';
import { trainClassifier } from './trainClassifier.ts';

export const jobKinds: readonly JobKind[] = [trainClassifier, ...analyses.map(analysisJob), readImages, checkDevice];
