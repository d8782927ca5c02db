/** What stands in the place of a figure whose findings are not there, and what getting them costs. */
import type { FigureState } from '../../../marks/Figure.svelte';
import type { Wanted } from '../../../state/results.svelte.ts';
import { duration } from '../../../words/numbers.ts';

export interface Missing {
  /** What it would show. */
  readonly shows: string;
  /** What is needed before it can be run at all, where something is. */
  readonly needs?: string | undefined;
  readonly seconds?: number | undefined;
  /** Undefined where nothing can be run: the session is only read. */
  readonly onRun?: (() => void) | undefined;
}

/** @param wanted undefined: it may not be asked for yet */
export function stateOf(wanted: Wanted | undefined, { shows, needs, seconds, onRun }: Missing): FigureState {
  if (wanted === undefined) return { state: 'absent', text: needs ? `${shows} ${needs}` : shows };
  switch (wanted.state) {
    case 'ready':
      return { state: 'ready' };
    case 'unknown':
      return { state: 'loading' };
    case 'running':
      return { state: 'absent', text: `${shows} It is being measured, and appears here when that is done.` };
    case 'failed':
      return { state: 'refused', text: wanted.reason };
    case 'absent':
      if (!onRun) return { state: 'absent', text: `${shows} Not run; this session is open to be read only.` };
      return { state: 'absent', text: shows, action: runWords('Measure it', seconds), onAction: onRun };
    default:
      return wanted satisfies never;
  }
}

/** `Measure it, 6 s` */
export const runWords = (verb: string, seconds: number | undefined): string =>
  seconds === undefined ? verb : `${verb}, ${duration(seconds)}`;
