/** What is copied: by the browser's clipboard, or where a page has none — served by plain http to another machine — by its copy command. */
import { UserError } from '../../engine/base/errors.ts';

/** Absent in pages that the browser does not call secure. */
const clipboard = (): Clipboard | undefined => (navigator as { readonly clipboard?: Clipboard }).clipboard;

/** @throws UserError where the browser allows no way */
export async function copyText(text: string): Promise<void> {
  const own = clipboard();
  if (own) return own.writeText(text);
  let copied = false;
  // Needs nothing selected, and leaves the focus where it is: in a dialog nothing outside could have it.
  const onCopy = (event: ClipboardEvent): void => {
    event.clipboardData?.setData('text/plain', text);
    event.preventDefault();
    event.stopImmediatePropagation();
    copied = true;
  };
  document.addEventListener('copy', onCopy, { capture: true });
  try {
    document.execCommand('copy');
  } finally {
    document.removeEventListener('copy', onCopy, { capture: true });
  }
  if (!copied) throw new UserError('clipboard', 'must be allowed by the browser', 'a page without one');
}

/** @throws UserError where pictures cannot be copied */
export async function copyPng(png: Promise<Blob>): Promise<void> {
  const own = clipboard();
  if (!own) throw new UserError('clipboard', 'must be there for a picture: open the page over https, or save the picture', 'none');
  await own.write([new ClipboardItem({ 'image/png': png })]);
}
