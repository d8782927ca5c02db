/**
 * Adapters by id: `dopamine`, `threshold`, `gain`, `bias`, `lora-r4` (any rank), `full`. Gated ones take options after a plus:
 * `dopamine+two-sided+straight-through+context`. Ids are the file format.
 */
import { UserError } from '../../base/errors.ts';
import { gateFamilies } from '../../gates/index.ts';
import { mlpParameters } from '../mlp.ts';
import type { Adapter } from './adapter.ts';
import { bias } from './bias.ts';
import { gain } from './gain.ts';
import { gated } from './gated.ts';
import { lora } from './lora.ts';

/** Every parameter of the base is trained; nothing is added. */
const full: Adapter = {
  id: 'full',
  gated: false,
  contextual: false,
  trains: 'base',
  parameters: (config) => mlpParameters(config),
  hooks: () => ({}),
};

const plain: readonly Adapter[] = [gain, bias, full];
const gateOptions = ['straight-through', 'context'] as const;

/** What an id may be, for help and for errors. */
export const adapterIds = `${[...new Set([...gateFamilies.map(({ id }) => id.split('+')[0]), ...plain.map(({ id }) => id)])].join(', ')} or lora-r<rank>`;
export const adapterOptions = [...new Set(gateFamilies.flatMap(({ id }) => id.split('+').slice(1))), ...gateOptions];

/** The adapter an id stands for; its own `id` has the options in their fixed order. @throws UserError for an id that is none */
export function adapterOf(id: string): Adapter {
  const rank = /^lora-r(\d+)$/.exec(id)?.[1];
  if (rank !== undefined) return lora(Number(rank));
  const found = plain.find((candidate) => candidate.id === id);
  if (found) return found;
  const [name, ...options] = id.split('+');
  const chosen = new Set(options);
  const own = gateOptions.filter((option) => chosen.delete(option));
  const family = gateFamilies.find((candidate) => candidate.id === [name, ...chosen].join('+'));
  if (family && options.length === own.length + chosen.size)
    return gated(family, { straightThrough: own.includes('straight-through'), context: own.includes('context') });
  const rule = gateFamilies.some((candidate) => candidate.id === name)
    ? `must be ${name}, with each at most once of +${gateOptions.join(', +')} and one of +${adapterOptions.filter((option) => !gateOptions.includes(option as never)).join(', +')}`
    : `must be ${adapterIds}`;
  throw new UserError('adapter: id', rule, id);
}
