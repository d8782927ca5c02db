/** Saving what the window made: a dialog of the shell, or a download where there is none. */

/** @returns where it went, in words; undefined if the user called it off */
export async function saveFile(name: string, content: Blob | Uint8Array | string): Promise<string | undefined> {
  const blob = content instanceof Blob ? content : new Blob([content as BlobPart], { type: typeOf(name) });
  if (window.desktop) return window.desktop.saveFile(name, new Uint8Array(await blob.arrayBuffer()));
  const address = URL.createObjectURL(blob);
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  link.click();
  // The download has begun when the click returns, but some browsers read the address a little later.
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
  return name;
}

const types: Readonly<Record<string, string>> = {
  csv: 'text/csv;charset=utf-8',
  json: 'application/json',
  svg: 'image/svg+xml',
  png: 'image/png',
};

const typeOf = (name: string): string => types[name.slice(name.lastIndexOf('.') + 1)] ?? 'application/octet-stream';

/** A title as the name of a file: `Accuracy at 45°` becomes `accuracy-at-45`. */
export function fileName(title: string, extension: string): string {
  const plain = title
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, '-')
    .replace(/^-+|-+$/g, '');
  return `${plain || 'figure'}.${extension}`;
}
