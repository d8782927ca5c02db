/** The registry of job kinds: what an engine can be asked for. A new kind is one file in this folder and one line here. */
import type { JobKind } from '../contract.ts';
import { checkDevice } from './checkDevice.ts';
import { evaluateClassifier } from './evaluateClassifier.ts';
import { trainClassifier } from './trainClassifier.ts';

export const jobKinds: readonly JobKind[] = [trainClassifier, evaluateClassifier, checkDevice];
