/** What is being typed, and that it is not lost: fields are kept when they are left. */

export const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement &&
  (target.isContentEditable || target.matches('textarea, select, input:not([type=checkbox], [type=radio], [type=range], [type=button])'));

/** Leaves the field, so that it is kept as it is. */
export function finishTyping(): void {
  const { activeElement } = document;
  if (activeElement instanceof HTMLElement && isTyping(activeElement)) activeElement.blur();
}

/** The field's own undo: what the shell's menu means while somebody types. @returns whether it was for the field */
export function editTyped(command: string): boolean {
  if ((command !== 'edit.undo' && command !== 'edit.redo') || !isTyping(document.activeElement)) return false;
  document.execCommand(command === 'edit.undo' ? 'undo' : 'redo');
  return true;
}
