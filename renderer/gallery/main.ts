/** The gallery: every specimen in both themes. Not part of the program; `npm run gallery` shows it. */
import '@fontsource-variable/inter';
import '../styles/tokens.css';
import '../styles/base.css';
import { mount } from 'svelte';
import Gallery from './Gallery.svelte';
import { showWindow } from './wholeWindow.ts';
import type { Specimen } from '../testing/picture.ts';

const files = import.meta.glob<{ readonly specimens: readonly Specimen[] }>(['./specimens/*.ts', '!./specimens/*.test.ts'], {
  eager: true,
});
const groups = Object.entries(files)
  .filter(([path]) => !path.endsWith('.test.ts'))
  .map(([path, { specimens }]) => ({ name: path.replace(/^.*\/|\.ts$/g, ''), specimens }));

/** `?window` shows the whole window with the fake host: `&workspace=modes`, `&theme=dark`, `&toured`, `&jobs`, `&empty`, `&lost`. */
const asked = new URLSearchParams(location.search);
const target = document.getElementById('app')!;
if (asked.has('window')) void showWindow(target, asked);
else mount(Gallery, { target, props: { groups } });
