/** What the frame itself has open: palette, dialogs, the tour. One for a window, beside the App. */
import { getContext, setContext } from 'svelte';
import type { Job } from '../../main/host/hostApi.ts';

/** A path that somebody has to choose where the shell has no dialog for it. */
export interface Choice {
  readonly title: string;
  readonly kind: 'session' | 'images';
  /** Proposed for a new file; absent where one that is there is chosen. */
  readonly name?: string;
  readonly settle: (path: string | undefined) => void;
}

export class Frame {
  #palette = $state<'all' | 'find' | undefined>();
  #dialog = $state<'keys' | 'about' | 'devices' | 'rename' | undefined>();
  #log = $state.raw<Job | undefined>();
  #choice = $state.raw<Choice | undefined>();
  #lastFind = $state.raw<{ readonly query: string; readonly index: number } | undefined>();
  #tourStep = $state<number | undefined>();

  get palette(): 'all' | 'find' | undefined {
    return this.#palette;
  }

  openPalette(kind: 'all' | 'find'): void {
    this.#palette = kind;
  }

  closePalette(): void {
    this.#palette = undefined;
  }

  /** What was found last, for "find next". */
  get lastFind(): { readonly query: string; readonly index: number } | undefined {
    return this.#lastFind;
  }

  remember(query: string | undefined, index: number): void {
    if (query !== undefined) this.#lastFind = { query, index };
  }

  get dialog(): 'keys' | 'about' | 'devices' | 'rename' | undefined {
    return this.#dialog;
  }

  show(dialog: 'keys' | 'about' | 'devices' | 'rename'): void {
    this.#dialog = dialog;
  }

  closeDialog(): void {
    this.#dialog = undefined;
  }

  /** The job whose log is shown. */
  get log(): Job | undefined {
    return this.#log;
  }

  showLog(job: Job | undefined): void {
    this.#log = job;
  }

  get choice(): Choice | undefined {
    return this.#choice;
  }

  /** Asks for a path of the host. @returns undefined if it was called off */
  choose(question: Omit<Choice, 'settle'>): Promise<string | undefined> {
    this.#choice?.settle(undefined);
    return new Promise((resolve) => {
      this.#choice = {
        ...question,
        settle: (path) => {
          this.#choice = undefined;
          resolve(path);
        },
      };
    });
  }

  /** The step that is shown; undefined while there is no tour. */
  get tourStep(): number | undefined {
    return this.#tourStep;
  }

  goOnTour(step: number | undefined): void {
    this.#tourStep = step;
  }
}

const KEY = Symbol('frame');

export const provideFrame = (frame: Frame): Frame => setContext(KEY, frame);
export const useFrame = (): Frame => getContext<Frame>(KEY);
