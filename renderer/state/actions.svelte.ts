/**
 * Everything a person can do, by id: what the palette lists, the menu offers, and keys call. Whoever can do something registers it for as
 * long as they are there; an id is taken once.
 */
import { untrack } from 'svelte';

export interface Action {
  /** `session.open`: the menu's id too. */
  readonly id: string;
  /** A verb with its object: `Open a session`. */
  readonly title: string;
  /** Where the palette lists it: `Selection`, `Run`, `Go to`, `Session`, `Window`. */
  readonly group: string;
  /** `Mod+K`, `.`, `Shift+ArrowUp`: Mod is Ctrl or Cmd. */
  readonly keys?: string;
  /** What it would cost, or that it is stored: `0.2 s`, `stored`. */
  readonly cost?: string;
  readonly enabled?: () => boolean;
  /** Only by its keys: the palette lists what it does in another way. */
  readonly hidden?: boolean;
  readonly run: (argument?: string) => void | Promise<void>;
}

export class Actions {
  #actions = $state.raw<readonly Action[]>([]);
  readonly #onError: (error: unknown) => void;

  /** @param onError hears of what an action threw */
  constructor(onError: (error: unknown) => void) {
    this.#onError = onError;
  }

  get all(): readonly Action[] {
    return this.#actions;
  }

  /** @returns takes them away again: what an `$effect` returns */
  register(actions: readonly Action[]): () => void {
    // An effect that registers is not to run again because others do.
    return untrack(() => {
      const twice = actions.find(
        ({ id }, i) => this.#actions.some((one) => one.id === id) || actions.findIndex((one) => one.id === id) < i,
      );
      if (twice) throw new Error(`actions: ${twice.id} is there already`);
      this.#actions = [...this.#actions, ...actions];
      return () => untrack(() => (this.#actions = this.#actions.filter((one) => !actions.includes(one))));
    });
  }

  isEnabled(action: Action): boolean {
    return action.enabled?.() ?? true;
  }

  /** Does it, if it is there and enabled. @returns whether it was */
  run(id: string, argument?: string): boolean {
    const action = this.#actions.find((one) => one.id === id);
    if (!action || !this.isEnabled(action)) return false;
    try {
      const running = action.run(argument);
      if (running instanceof Promise) running.catch(this.#onError);
    } catch (error) {
      this.#onError(error);
    }
    return true;
  }

  /** The action of a key press. @param typing the focus is in a field: single characters are then text */
  forKey(event: KeyboardEvent, typing: boolean): Action | undefined {
    const pressed = keysOf(event);
    // The field undoes what was typed in it.
    if (typing && /^Mod\+(Shift\+)?[ZY]$/.test(pressed)) return undefined;
    if (typing && !pressed.includes('Mod+') && pressed !== 'Escape' && !/^(Shift\+)?F\d+$/.test(pressed)) return undefined;
    return this.#actions.find((action) => action.keys === pressed && this.isEnabled(action));
  }
}

/** `Mod+Shift+E`: as actions name their keys. */
export function keysOf({ key, code, ctrlKey, metaKey, shiftKey, altKey }: KeyboardEvent): string {
  // With Alt a letter key writes another sign on some keyboards.
  const letter = altKey ? /^Key([A-Z])$/.exec(code)?.[1] : undefined;
  const name = letter ?? (key === ' ' ? 'Space' : key.length === 1 ? key.toUpperCase() : key);
  // A shifted sign is the sign: `?` needs no Shift in its name.
  const sign = name.length === 1 && !/[A-Z0-9]/.test(name);
  return [(ctrlKey || metaKey) && 'Mod', shiftKey && !sign && 'Shift', altKey && 'Alt', name].filter(Boolean).join('+');
}

/** As keys are printed: `Ctrl K`, `⇧ ↑`. */
export const shownKeys = (keys: string, modifier: string): string =>
  keys
    .split('+')
    .map(
      (part) =>
        ({ Mod: modifier, ArrowUp: '↑', ArrowDown: '↓', ArrowLeft: '←', ArrowRight: '→', Backspace: '⌫', Escape: 'Esc' })[part] ?? part,
    )
    .join(' ');
