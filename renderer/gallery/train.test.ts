import '../styles/tokens.css';
import '../styles/base.css';
import { describe, expect, it } from 'vitest';
import { normalised, place, settled } from '../testing/picture.ts';
import { specimens } from './specimens/train.ts';

// Of a canvas only its size is text; what is on it follows from chartLines.test.ts and decimate.test.ts.
describe('train looks as it did', () => {
  it.each(specimens.filter(({ id }) => id !== 'train-huge').map((one) => [one.id, one] as const))('%s', async (id, one) => {
    const { box, remove } = await place(one, document.body);
    await expect.poll(() => box.querySelector('form')).not.toBeNull();
    await expect.poll(() => box.querySelector('form dd')?.textContent?.trim()).not.toBe(undefined);
    // Curves and costs come in one by one.
    let before = '';
    await expect
      .poll(async () => {
        await settled();
        const now = normalised(box);
        const same = now === before;
        before = now;
        return same;
      })
      .toBe(true);
    await expect(before).toMatchFileSnapshot(`./__pictures__/${id}.html`);
    await remove();
  });
});
