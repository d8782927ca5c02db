/** The one tooltip of the window: what it says and whether it stays. TipLayer draws it; figures and controls call it. */
import type { Attachment } from 'svelte/attachments';

export interface Tip {
  /** Of the pointer or mark, in the window. */
  readonly x: number;
  readonly y: number;
  readonly title: string;
  /** Beside the title, in small. */
  readonly about?: string;
  readonly rows?: readonly { readonly label: string; readonly value: string }[];
  /** `Mod+K` */
  readonly keys?: string | undefined;
  /** Under a control, centred on it, rather than beside a pointer. */
  readonly under?: boolean;
}

/** Milliseconds that a pointer rests before the first one shows; while one shows, the next follows at once. */
const REST = 300;

class Tips {
  #shown = $state.raw<Tip | undefined>();
  #kept = $state(false);
  #next: Tip | undefined;
  #hiding = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  get shown(): Tip | undefined {
    return this.#shown;
  }

  get kept(): boolean {
    return this.#kept;
  }

  show(tip: Tip): void {
    if (this.#kept) return;
    this.#hiding = false;
    this.#next = tip;
    if (this.#shown) this.#shown = tip;
    else this.#timer ??= setTimeout(() => this.#showNow(), REST);
  }

  /** Goes with the pointer, unless it is kept. */
  hide(): void {
    this.#hiding = true;
    // What has the focus may be on its way out of the page: state must not change under it.
    queueMicrotask(() => {
      if (this.#hiding && !this.#kept) this.release();
    });
  }

  /** A click: it stays until it is closed or something else is clicked. */
  keep(): void {
    this.#showNow();
    this.#kept = this.#shown !== undefined;
  }

  release(): void {
    clearTimeout(this.#timer);
    this.#timer = this.#next = this.#shown = undefined;
    this.#kept = false;
  }

  #showNow(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#shown = this.#next;
  }
}

export const tip = new Tips();

/** A tooltip of a control: `{@attach hint('Undo', 'Mod+Z')}`. Without a text there is none. */
export function hint(title: string | undefined, keys?: string): Attachment<HTMLElement> {
  return (element) => {
    if (!title) return undefined;
    const show = (): void => {
      const { left, width, bottom } = element.getBoundingClientRect();
      tip.show({ x: left + width / 2, y: bottom, title, keys, under: true });
    };
    const hide = (): void => tip.hide();
    const showFocused = (): void => {
      if (element.matches(':focus-visible')) show();
    };
    const escape = ({ key }: KeyboardEvent): void => {
      if (key === 'Escape') hide();
    };
    const heard = [
      ['pointerenter', show],
      ['pointerleave', hide],
      ['pointerdown', hide],
      ['focusin', showFocused],
      ['focusout', hide],
      ['keydown', escape],
    ] as const;
    for (const [name, listener] of heard) element.addEventListener(name, listener as EventListener);
    return () => {
      for (const [name, listener] of heard) element.removeEventListener(name, listener as EventListener);
      hide();
    };
  };
}
