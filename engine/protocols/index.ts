/** Protocols by id. */
import { dopamineProtocol } from './dopamine.ts';
import type { Protocol } from './protocol.ts';

export const protocols: readonly Protocol<never, unknown>[] = [dopamineProtocol as unknown as Protocol<never, unknown>];
