/** Draws main/shell/icon.png, which packages take the sizes they need from, anew from icon.svg: `node scripts/icon.mjs` after a change of it. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { chromium } from 'playwright';
import { root } from './setup.mjs';

/** macOS asks for the largest. */
const size = 1024;

const folder = join(root, 'main', 'shell');
const drawing = await readFile(join(folder, 'icon.svg'), 'utf8');
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] });
const page = await browser.newPage({ viewport: { width: size, height: size } });
await page.setContent(
  `<style>html, body { margin: 0; background: none } svg { display: block; width: 100vw; height: 100vh }</style>${drawing}`,
);
await page.screenshot({ path: join(folder, 'icon.png'), omitBackground: true });
await browser.close();
