/** Protocols by id: those on images, which the window offers where it trains, and those on language models. */
import { dopamineProtocol } from './dopamine.ts';
import { tierA, tierB } from './policy.ts';
import { tierC } from './policyScales.ts';
import type { Protocol } from './protocol.ts';

type AnyProtocol = Protocol<never, unknown>;

/** Their options name data. */
export const protocols: readonly AnyProtocol[] = [dopamineProtocol as unknown as AnyProtocol];

export const routingProtocols: readonly AnyProtocol[] = [tierA, tierB, tierC].map((one) => one as unknown as AnyProtocol);

export const allProtocols: readonly AnyProtocol[] = [...protocols, ...routingProtocols];
