/** Adapters by id: `dopamine` (any gate family's id), `lora-r4` (any rank), `full`. */
import { UserError } from '../../base/errors.ts';
import { gateFamilies } from '../../gates/index.ts';
import type { Adapter } from './adapter.ts';
import { gated } from './gated.ts';
import { lora } from './lora.ts';

/** Every parameter of the base is trained; nothing is added. */
const full: Adapter = { id: 'full', gated: false, trains: 'base', parameters: () => [], hooks: () => ({}) };

export function adapterOf(id: string): Adapter {
  const rank = /^lora-r(\d+)$/.exec(id)?.[1];
  if (rank !== undefined) return lora(Number(rank));
  const family = gateFamilies.find((candidate) => candidate.id === id);
  if (family) return gated(family);
  if (id === full.id) return full;
  throw new UserError(
    'adapter: id',
    `must be ${[...gateFamilies.map((candidate) => candidate.id), 'lora-r<rank>', full.id].join(', ')}`,
    id,
  );
}
