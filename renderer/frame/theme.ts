/** Puts theme and scale of the settings in force: everything else follows from two attributes of the root element. */
import type { Settings } from '../../main/host/hostApi.ts';

const darkSystem = (): MediaQueryList => window.matchMedia('(prefers-color-scheme: dark)');

/** @returns stops following the system */
export function applyTheme({ theme, diverging }: Pick<Settings, 'theme' | 'diverging'>): () => void {
  const { dataset } = document.documentElement;
  dataset.diverging = diverging;
  const media = darkSystem();
  const apply = (): void => void (dataset.theme = theme === 'system' ? (media.matches ? 'dark' : 'light') : theme);
  apply();
  if (theme !== 'system') return () => undefined;
  media.addEventListener('change', apply);
  return () => media.removeEventListener('change', apply);
}
