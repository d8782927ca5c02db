/** An effect outside of any component, for tests. @returns ends it */
import { flushSync } from 'svelte';

export function effectRoot(effect: () => (() => void) | undefined): () => void {
  const end = $effect.root(() => {
    $effect(effect);
  });
  flushSync();
  return end;
}
