/**
 * From an event on the dial to the frame that shows the digit turned and answered: keys one by one, a pointer step by step, each after the
 * picture of the one before; and a drag that does not wait, as a hand does not, of which the pictures are counted. In Electron with the real
 * host and engine, on the demonstration: four networks answer each time.
 */
import type { Page } from '@playwright/test';
import { BenchFailure } from '../failure.ts';
import { named, summary, type Figure } from './figure.ts';
import { closedProgram, inModes, liveDigit } from './home.ts';

const MOVES = 200;
const MOST = 50;
/** Milliseconds between two events of a hand. */
const PACE = 1000 / 60;
/** Of the dial: degrees that it is an arc of. */
const ARC = 90;

interface Watched {
  /** When the newest event came. */
  event: number;
  /** Of each picture: when it came, and when it had been painted. */
  pictures: number[];
}
type Watching = { dialWatch: Watched };

/** Notes when events come, and when pictures of the digit have been painted. */
async function watch(page: Page): Promise<void> {
  await page.evaluate(() => {
    const own: Watched = { event: NaN, pictures: [] };
    Object.assign(window, { dialWatch: own });
    const note = (event: Event): void => void (own.event = event.timeStamp);
    for (const type of ['keydown', 'pointermove']) addEventListener(type, note, { capture: true });
    const put = Reflect.get(CanvasRenderingContext2D.prototype, 'putImageData') as (...given: unknown[]) => void;
    let before = '';
    Reflect.set(CanvasRenderingContext2D.prototype, 'putImageData', function (this: CanvasRenderingContext2D, ...given: unknown[]) {
      put.apply(this, given);
      if (!this.canvas.getAttribute('aria-label')?.endsWith(', turned')) return;
      // The same picture once more answers nothing.
      const now = (given[0] as ImageData).data.join();
      if (now === before) return;
      before = now;
      requestAnimationFrame(() => void scheduler.postTask(() => void own.pictures.push(performance.now()), { priority: 'user-blocking' }));
    });
  });
}

/** Does something on the dial and waits for the picture that follows. */
async function moved(page: Page, act: () => Promise<void>): Promise<number> {
  const before = await page.evaluate(() => (window as unknown as Watching).dialWatch.pictures.length);
  await act();
  await page.waitForFunction((count) => (window as unknown as Watching).dialWatch.pictures.length > count, before, { timeout: 30_000 });
  return page.evaluate((count) => {
    const { event, pictures } = (window as unknown as Watching).dialWatch;
    return pictures[count] - event;
  }, before);
}

export async function dial(): Promise<Figure[]> {
  await using program = await closedProgram();
  const page = await inModes(program);
  await watch(page);
  const slider = liveDigit(page).getByRole('slider', { name: 'Angle' });
  await slider.focus();
  for (let i = 0; i < 10; i++) await moved(page, () => slider.press('ArrowUp')); // warms up

  const keys: number[] = [];
  let angle = Number(await slider.getAttribute('aria-valuenow'));
  let key = 'ArrowUp';
  for (let i = 0; i < MOVES; i++) {
    if (angle >= ARC) key = 'ArrowDown';
    if (angle <= 0) key = 'ArrowUp';
    angle += key === 'ArrowUp' ? 1 : -1;
    keys.push(await moved(page, () => slider.press(key)));
  }

  const box = (await slider.boundingBox())!;
  const knob = (await slider.locator('.knob').boundingBox())!;
  const held = { x: knob.x + knob.width / 2, y: knob.y + knob.height / 2 };
  const centre = { x: box.x + 96, y: box.y + 96 };
  const radius = Math.hypot(held.x - centre.x, held.y - centre.y);
  if (Math.abs(radius - 74) > 2) throw new BenchFailure(`dial: the knob must be 74 px from the middle, got ${radius.toFixed(1)}`);
  const goTo = (degrees: number): Promise<void> => {
    const turn = (degrees * Math.PI) / 180;
    return page.mouse.move(centre.x - radius * Math.sin(turn), centre.y - radius * Math.cos(turn));
  };
  /** There and back along the arc, so far a step that whole pixels are another angle each time. */
  const degreesAt = (step: number): number => {
    const at = (3 * step) % (2 * (ARC - 3));
    return 1 + (at < ARC - 3 ? at : 2 * (ARC - 3) - at);
  };
  await page.mouse.move(held.x, held.y);
  await page.mouse.down();
  const pointer: number[] = [];
  await moved(page, () => goTo(degreesAt(1)));
  for (let i = 1; i <= MOVES; i++) pointer.push(await moved(page, () => goTo(degreesAt(1 + i))));

  const before = await page.evaluate(() => (window as unknown as Watching).dialWatch.pictures.length);
  const began = performance.now();
  for (let i = 1; i <= MOVES; i++) {
    await goTo(degreesAt(1 + MOVES + i));
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, began + i * PACE - performance.now())));
  }
  const seconds = (performance.now() - began) / 1000;
  const lag = await page.evaluate(
    () =>
      new Promise<number>((resolve) => {
        // The last one comes after the last event: whatever comes within a second.
        setTimeout(() => {
          const { event, pictures } = (window as unknown as Watching).dialWatch;
          resolve(pictures[pictures.length - 1] - event);
        }, 1000);
      }),
  );
  const count = (await page.evaluate(() => (window as unknown as Watching).dialWatch.pictures.length)) - before;
  await page.mouse.up();
  const where = 'demonstration, four networks, host and engine in processes of their own';
  return [
    {
      name: 'dial, keys',
      what: `${where}: an arrow's event to the painted picture and answers`,
      unit: 'ms',
      values: named('', summary(keys)),
      aim: { value: 'p95', most: MOST },
      raw: { keys },
    },
    {
      name: 'dial, pointer',
      what: `${where}: a pointer's event to the painted picture and answers`,
      unit: 'ms',
      values: named('', summary(pointer)),
      aim: { value: 'p95', most: MOST },
      raw: { pointer },
    },
    {
      name: 'dial, dragged without waiting',
      what: `${where}: ${MOVES} events at ${(MOVES / seconds).toFixed(0)} a second`,
      unit: 'count',
      values: { events: MOVES, pictures: count, picturesPerSecond: count / seconds, millisecondsFromLastEventToLastPicture: lag },
    },
  ];
}
