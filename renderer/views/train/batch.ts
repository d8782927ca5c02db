/**
 * A foundation for each seed and, once it is there, the adapters on it: what is still to be queued. Adapters are asked for by their
 * foundation's digest, which nobody knows before it is trained. A batch is plain data that the session keeps, so that a window that was closed
 * goes on where it was; the host gives the same run for the same request, so that asking twice costs nothing. Pure: it could be the host's.
 */
import type { Work } from '../../../main/host/hostApi.ts';

export interface BatchPart {
  readonly foundation: Work;
  /** Without their base. */
  readonly adapters: readonly Work[];
}

export interface Batch {
  readonly parts: readonly BatchPart[];
}

/** What is known of a part's foundation: the digest of its model once there is one. */
export type FoundationState =
  { readonly state: 'ready'; readonly model: string } | { readonly state: 'underWay' } | { readonly state: 'gone' };

/** @param states as many as there are parts @returns what can be queued now */
export const readyOf = ({ parts }: Batch, states: readonly FoundationState[]): readonly Work[] =>
  parts.flatMap(({ adapters }, i) => {
    const state = states[i];
    return state.state === 'ready' ? adapters.map((work): Work => ({ ...work, base: state.model }) as Work) : [];
  });

/** Two batches as one: later parts of the same foundation are added to it. */
export function merged(before: Batch | undefined, added: Batch): Batch {
  const parts = [...(before?.parts ?? [])];
  for (const part of added.parts) {
    const same = parts.findIndex(({ foundation }) => JSON.stringify(foundation) === JSON.stringify(part.foundation));
    if (same < 0) parts.push(part);
    else {
      const known = new Set(parts[same].adapters.map((work) => JSON.stringify(work)));
      parts[same] = { ...part, adapters: [...parts[same].adapters, ...part.adapters.filter((work) => !known.has(JSON.stringify(work)))] };
    }
  }
  return { parts };
}
