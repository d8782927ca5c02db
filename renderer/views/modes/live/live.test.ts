import { afterEach, describe, expect, it } from 'vitest';
import { page, userEvent } from 'vitest/browser';
import type { AnswerRequest } from '../../../../main/host/hostApi.ts';
import { liveProps } from '../../../gallery/specimens/live.ts';
import { answer } from '../../../testing/fakeData.ts';
import { settled } from '../../../testing/picture.ts';
import { removeAll, show, violations } from '../../../testing/shown.ts';
import type { Firing } from './contenders.ts';
import { SIDE } from './drawing.ts';
import Turning from './testing/Turning.svelte';

afterEach(removeAll);

type Given = Partial<Parameters<typeof show<Record<string, unknown>>>[1]>;

async function open(changes: Given = {}) {
  const asked: AnswerRequest[] = [];
  const heard: (readonly [string, number])[] = [];
  const props = {
    ...liveProps,
    ask: async (request: AnswerRequest) => {
      asked.push(request);
      return answer(request);
    },
    heard: (what: string, value: number) => heard.push([what, value]),
    ...changes,
  };
  const box = show(Turning, props);
  box.style.cssText = 'width: 296px; height: 440px; background: var(--surface)';
  await settled();
  return { asked, heard, box };
}

const dial = () => page.getByRole('slider', { name: 'Angle' });
const row = (name: string) => page.getByRole('button', { name: new RegExp(`^${name} answers`) });

/** Of a pointer that is really there: Chromium's mouse. */
function drag(element: Element, points: readonly (readonly [number, number])[]): void {
  points.forEach(([clientX, clientY], i) => {
    const type = i === 0 ? 'pointerdown' : 'pointermove';
    element.dispatchEvent(
      new PointerEvent(type, { bubbles: true, cancelable: true, pointerId: 1, button: 0, buttons: 1, clientX, clientY }),
    );
  });
  element.dispatchEvent(new PointerEvent('pointerup', { bubbles: true, pointerId: 1 }));
}

describe('live digit', () => {
  it.each(['light', 'dark'])('has no violations in %s', async (theme) => {
    document.documentElement.dataset.theme = theme;
    const { box } = await open();
    expect((await violations(box)).filter((one) => !/^(region|page-has-heading-one|heading-order|landmark)/.test(one))).toEqual([]);
  });

  it('turns by keys: one degree, fifteen with Shift, and keeps the place once the key is up', async () => {
    const { heard, asked } = await open();
    dial().element().focus();
    await userEvent.keyboard('{ArrowLeft}');
    await expect.element(dial()).toHaveAttribute('aria-valuetext', '46°');
    expect(heard).toEqual([
      ['turn', 46],
      ['angle', 46],
    ]);
    await userEvent.keyboard('{Shift>}{ArrowUp}{/Shift}');
    await expect.element(dial()).toHaveAttribute('aria-valuenow', '61');
    await userEvent.keyboard('{ArrowRight}');
    await expect.element(dial()).toHaveAttribute('aria-valuenow', '60');
    await userEvent.keyboard('{Home}{ArrowDown}');
    await expect.element(dial()).toHaveAttribute('aria-valuenow', '359');
    await settled();
    expect(asked.at(-1)!.angle).toBe(359);
  });

  it('turns by dragging: along the arc, and all round from further out', async () => {
    const { heard, box } = await open();
    const knob = box.querySelector('.knob')!;
    const { left, top } = box.querySelector('[role=slider]')!.getBoundingClientRect();
    const at = (angle: number, radius: number): readonly [number, number] => {
      const turn = (angle * Math.PI) / 180;
      return [left + 96 - radius * Math.sin(turn), top + 96 - radius * Math.cos(turn)];
    };
    drag(knob, [at(45, 74), at(60, 74), at(120, 74)]);
    await settled();
    expect(heard).toEqual([
      ['turn', 45],
      ['turn', 60],
      ['turn', 90],
      ['angle', 90],
    ]);
    drag(box.querySelector('.knob')!, [at(90, 74), at(150, 140)]);
    await expect.element(dial()).toHaveAttribute('aria-valuenow', '150');
  });

  it('takes a typed angle, and refuses what is none', async () => {
    const { heard } = await open();
    const field = page.getByLabelText('Angle, °');
    await field.fill('200');
    await userEvent.keyboard('{Enter}');
    expect(heard.at(-1)).toEqual(['angle', 200]);
    await field.fill('far');
    await userEvent.keyboard('{Enter}');
    await expect.element(page.getByRole('alert')).toHaveTextContent('Angles are −360° to 360°');
    await expect.element(field).toHaveValue('200');
  });

  it('asks all networks with the forced units and the place on the path, and says who is wrong', async () => {
    const forced = [{ unit: 'L1U4', state: 'shut' }];
    const { asked } = await open({ forced, share: 0.5, angle: 70 });
    expect(asked).toEqual([
      {
        data: { source: 'mnist' },
        image: { index: 4017 },
        angle: 70,
        contenders: liveProps.contenders.map(({ model, form }) => ({ model, form })),
        forced,
        share: 0.5,
      },
    ]);
    await expect.element(row('Base')).toHaveAccessibleName(/^Base answers 1 with \d+\s%, wrong: it is 7; \d+ of 96 units on$/);
    await expect.element(row('Mode, soft')).toHaveAccessibleName(/answers 7 .*, right; /);
    expect(getComputedStyle(row('Base').element().querySelector('.answer')!).color).not.toBe(
      getComputedStyle(row('Mode, soft').element().querySelector('.answer')!).color,
    );
  });

  it('tells which units fire in the row that is pressed, and takes it back', async () => {
    const told: (Firing | undefined)[] = [];
    await open({ onFiring: (firing: Firing | undefined) => told.push(firing) });
    await row('Mode, hard').click();
    const expected = answer({ ...liveProps, image: { index: 4017 } }).answers[2];
    expect(told.at(-1)).toEqual({ contender: 'hard', active: expected.active, outputs: expected.outputs });
    await expect.element(row('Mode, hard')).toHaveAttribute('aria-pressed', 'true');
    await row('Mode, hard').click();
    expect(told.at(-1)).toBeUndefined();
  });

  it('only the newest question counts while the host is slow', async () => {
    const waiting: (() => void)[] = [];
    const asked: number[] = [];
    const slow = (request: AnswerRequest) =>
      new Promise<ReturnType<typeof answer>>((resolve) => {
        asked.push(request.angle);
        waiting.push(() => resolve(answer(request)));
      });
    await open({ ask: slow });
    dial().element().focus();
    await userEvent.keyboard('{ArrowLeft}{ArrowLeft}{ArrowLeft}');
    await settled();
    expect(asked).toEqual([45]);
    waiting[0]();
    await expect.poll(() => asked).toEqual([45, 48]);
    waiting[1]();
    await settled();
    expect(asked).toEqual([45, 48]);
  });

  it('asks nothing twice, however often the networks are listed anew', async () => {
    const { asked, heard } = await open();
    dial().element().focus();
    await userEvent.keyboard('{ArrowLeft}');
    await expect.poll(() => heard.at(-1)).toEqual(['angle', 46]);
    await settled();
    expect(asked.map(({ angle }) => angle)).toEqual([45, 46]);
  });

  it('goes to other digits by number, one by one, from the grid, and to one that the base gets wrong', async () => {
    const drawn: number[][] = [];
    const { heard, asked } = await open({
      draw: async (request: { indices: readonly number[]; angle: number }) => {
        drawn.push([...request.indices]);
        return liveProps.draw({ data: { source: 'mnist' }, part: 'test', ...request });
      },
      angle: 70,
    });
    await page.getByRole('button', { name: 'Next test digit' }).click();
    await page.getByRole('button', { name: 'Previous test digit' }).click();
    const field = page.getByLabelText('Test digit no.');
    await field.fill('10000');
    await userEvent.keyboard('{Enter}');
    await expect.element(page.getByRole('alert')).toHaveTextContent('Test digits are 0 to 9999');
    await field.fill('12');
    await userEvent.keyboard('{Enter}');
    expect(heard).toEqual([
      ['index', 4018],
      ['index', 4017],
      ['index', 12],
    ]);
    await page.getByRole('button', { name: 'Pick', exact: true }).click();
    await expect.element(page.getByRole('option', { name: 'No. 12, a 7' })).toHaveFocus();
    expect(drawn).toEqual([Array.from({ length: 48 }, (_entry, i) => i)]);
    await userEvent.keyboard('{ArrowDown}{ArrowRight}{Enter}');
    expect(heard.at(-1)).toEqual(['index', 21]);
    await page.getByRole('button', { name: 'Base wrong' }).click();
    await expect.poll(() => heard.at(-1)).toEqual(['index', 22]);
    expect(
      asked.some(
        ({ contenders, image }) => contenders.length === 1 && contenders[0].form === 'base' && 'index' in image && image.index === 22,
      ),
    ).toBe(true);
  });

  it('is drawn on, stroke by stroke, as it is seen', async () => {
    const { asked, box } = await open({ angle: 90 });
    await page.getByRole('button', { name: 'Draw', exact: true }).click();
    const pad = box.querySelector('.pad')!;
    const { left, top } = pad.getBoundingClientRect();
    const pixelsOf = (request: AnswerRequest): Float32Array => ('pixels' in request.image ? request.image.pixels : new Float32Array());
    await expect.poll(() => asked.at(-1)!.image).toHaveProperty('pixels');
    drag(pad, [
      [left + 56, top + 4],
      [left + 56, top + 20],
    ]);
    await settled();
    const pixels = pixelsOf(asked.at(-1)!);
    // What is seen on top, turned by 90°, is the right edge of the upright digit.
    expect(pixels[14 * SIDE + 26]).toBeGreaterThan(0.5);
    expect(pixels[1 * SIDE + 14]).toBe(0);
    drag(pad, [[left + 20, top + 90]]);
    await settled();
    const both = pixelsOf(asked.at(-1)!);
    await page.getByRole('button', { name: 'Take the last stroke back' }).click();
    await settled();
    expect(pixelsOf(asked.at(-1)!)).toEqual(pixels);
    expect(both).not.toEqual(pixels);
    await page.getByRole('button', { name: 'Clear the drawing' }).click();
    await settled();
    expect(pixelsOf(asked.at(-1)!).every((ink) => ink === 0)).toBe(true);
    await page.getByRole('button', { name: 'Drawing' }).click();
    await expect.poll(() => asked.at(-1)!.image).toEqual({ index: 4017 });
  });

  it('says what went wrong, and asks again', async () => {
    let broken = true;
    await open({ ask: async (request: AnswerRequest) => (broken ? Promise.reject(new Error('the engine ended')) : answer(request)) });
    await expect.element(page.getByRole('alert')).toHaveTextContent('the engine ended Ask again');
    broken = false;
    await page.getByRole('button', { name: 'Ask again' }).click();
    await expect.element(row('Base')).toBeVisible();
    expect(document.querySelector('[role=alert]')).toBeNull();
  });
});
