/** Gate families by id; ids are the file format. */
import { dopamine } from './dopamine.ts';
import type { GateFamily } from './gate.ts';

export const gateFamilies: readonly GateFamily[] = [dopamine];
