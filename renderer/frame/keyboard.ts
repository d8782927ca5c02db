/** Keys of the whole window: those of actions, and F6 from pane to pane. */
import type { App } from '../state/app.svelte.ts';
import { isTyping } from './typing.ts';

const focusable = 'button:not(:disabled, [tabindex="-1"]), [href], input:not(:disabled), select:not(:disabled), textarea, [tabindex="0"]';

export function onKeyDown(app: App, event: KeyboardEvent): void {
  if (event.defaultPrevented || event.isComposing) return;
  if (event.key === 'F6') {
    event.preventDefault();
    goToPane(event.shiftKey ? -1 : 1);
    return;
  }
  const action = app.actions.forKey(event, isTyping(event.target));
  if (action) {
    event.preventDefault();
    app.actions.run(action.id);
  } else if (event.key === 'Escape' && !isTyping(event.target) && app.selection.clearInnermost()) event.preventDefault();
}

/** Panes say so by `data-pane`, in the order of the page. */
export function goToPane(by: 1 | -1): void {
  const panes = [...document.querySelectorAll<HTMLElement>('[data-pane]')].filter(
    (pane) => pane.offsetParent !== null && pane.querySelector(focusable) && !pane.querySelector('[data-pane]'),
  );
  if (panes.length === 0) return;
  const at = panes.findIndex((pane) => pane.contains(document.activeElement));
  const next = at < 0 ? (by > 0 ? 0 : panes.length - 1) : (at + by + panes.length) % panes.length;
  panes[next].querySelector<HTMLElement>(focusable)?.focus();
}
