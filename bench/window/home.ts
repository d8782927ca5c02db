/** The program with sessions in its folder, and the way from Home into one of them, timed in the page. */
import type { Page } from '@playwright/test';
import { copyFileSync, mkdirSync, renameSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { DesktopProgram } from '../../e2e/fixtures/desktop.ts';

export const DEMONSTRATION = resolve('fixtures/demonstration/Dopamine on MNIST.gatescope');

/** The program, closed, with an empty sessions folder. */
export async function closedProgram(): Promise<DesktopProgram> {
  const program = await DesktopProgram.closed('relay');
  mkdirSync(program.sessionsFolder, { recursive: true });
  return program;
}

export function put(program: DesktopProgram, name: string, source: string, how: 'copy' | 'move' = 'copy'): string {
  const path = join(program.sessionsFolder, name);
  (how === 'copy' ? copyFileSync : renameSync)(source, path);
  return path;
}

/** Selects a session in the list, and waits until its file has been checked: nothing runs then but what is asked for. */
export async function select(page: Page, path: string): Promise<void> {
  await rowOf(page, path).click();
  await page
    .getByRole('complementary', { name: 'Selected session' })
    .getByText(/^checked, whole$/)
    .waitFor({ timeout: 300_000 });
}

const rowOf = (page: Page, path: string) => page.locator(`[role=row][data-path="${path}"]`);

/** Milliseconds from the double click on a session in Home to the frame with the first marks of Modes. */
export async function openTimed(page: Page, path: string): Promise<number> {
  await page.evaluate(() => {
    Object.assign(window, {
      firstPicture: new Promise<number>((done) => {
        let began: number | undefined;
        addEventListener('dblclick', (event) => (began = event.timeStamp), { capture: true, once: true });
        const look = (): void => {
          const drawn = began !== undefined && document.querySelector('figure[aria-label="Units"] svg.points circle') !== null;
          if (!drawn) return void requestAnimationFrame(look);
          // This frame shows them: what is urgent comes when it has been painted, before the host's other answers.
          void scheduler.postTask(() => done(performance.now() - began!), { priority: 'user-blocking' });
        };
        requestAnimationFrame(look);
      }),
    });
  });
  await rowOf(page, path).dblclick();
  return page.evaluate(() => (window as unknown as { firstPicture: Promise<number> }).firstPicture);
}

/** Back to Home, with no session open. */
export async function closeSession(page: Page): Promise<void> {
  await page.keyboard.press('Control+w');
  await page.getByRole('grid', { name: 'Sessions' }).waitFor();
}

/** A copy of the demonstration, open in Modes, with its live digit answered. */
export async function inModes(program: DesktopProgram): Promise<Page> {
  const path = put(program, 'Demonstration.gatescope', DEMONSTRATION);
  const page = await program.open();
  await select(page, path);
  await openTimed(page, path);
  await liveDigit(page)
    .getByRole('img', { name: /, turned$/ })
    .waitFor({ timeout: 120_000 });
  return page;
}

export const liveDigit = (page: Page) => page.getByRole('region', { name: 'Live digit' });
