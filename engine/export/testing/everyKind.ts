/** A model of every kind there is to export: foundation, each gate family plain and by context, and each other adapter. */
import type { SmallModel } from '../../analyses/testing/models.ts';
import { gateFamilies } from '../../gates/index.ts';

export const everyKind: readonly (readonly [string, SmallModel])[] = [
  ['a foundation', {}],
  ...[...gateFamilies.map(({ id }) => id), 'gain', 'bias', 'lora-r2', 'full'].map((adapter) => [adapter, { adapter }] as const),
  ...gateFamilies.map(({ id }) => [`${id}+context`, { adapter: `${id}+straight-through+context`, modeAngles: [0, 45, 90] }] as const),
];
