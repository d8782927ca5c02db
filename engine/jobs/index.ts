/** The registry of job kinds: what an engine can be asked for. A new kind is one file in this folder and one line here. */
import type { JobKind } from '../contract.ts';

export const jobKinds: readonly JobKind[] = [];
