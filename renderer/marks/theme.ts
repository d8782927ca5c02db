/**
 * Tells canvas marks that the tokens have other values now: they read colours as bytes, and have to read them again. SVG marks name tokens
 * and need none of this.
 */
import { createSubscriber } from 'svelte/reactivity';

const subscribe = createSubscriber((update) => {
  const observer = new MutationObserver(update);
  observer.observe(document.documentElement, { attributes: true, attributeFilter: ['data-theme', 'data-diverging'] });
  return () => observer.disconnect();
});

/** Called where colours are read: an effect or a derived value that does is run again after a change of theme. */
export function followTheme(): void {
  subscribe();
}

/** Values by theme and name: asking the page's styles in the middle of drawing has it lay out everything anew. */
const values = new Map<string, string>();

/** The value of a token where the element is. */
export function token(element: Element, name: string): string {
  const { theme = '', diverging = '' } = element.closest<HTMLElement>('[data-theme]')?.dataset ?? {};
  const key = `${theme} ${diverging} ${name}`;
  let value = values.get(key);
  if (!value) values.set(key, (value = getComputedStyle(element).getPropertyValue(`--${name}`).trim()));
  return value;
}

/** What CSS calls a colour, as a canvas takes it. @param named `var(--teal)`, `color-mix(in oklab, var(--div-6) 40%, var(--div-5))` */
export const colourOf = (element: Element, named: string): string =>
  named.replace(/var\(--([\w-]+)\)/g, (_whole, name: string) => token(element, name));
