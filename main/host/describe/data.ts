/** Data sets that go by a name, and which of them are here. */
import { UserError } from '../../../engine/base/errors.ts';
import { findSource } from '../../../engine/tasks/imageSource.ts';

export const namedData: readonly string[] = ['mnist', 'fashion-mnist'];

const titles: Readonly<Record<string, string>> = { mnist: 'MNIST', 'fashion-mnist': 'Fashion-MNIST' };

/** Those whose files are on this machine. */
export function dataHere(): { source: string; title: string }[] {
  return namedData.filter(isHere).map((source) => ({ source, title: titles[source] ?? source }));
}

function isHere(source: string): boolean {
  try {
    findSource(source);
    return true;
  } catch (error) {
    if (error instanceof UserError) return false;
    // The package of the images may be left out of an installation.
    if ((error as NodeJS.ErrnoException).code === 'MODULE_NOT_FOUND') return false;
    throw error;
  }
}
