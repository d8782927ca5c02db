import '../styles/tokens.css';
import '../styles/base.css';
import { describe, expect, it } from 'vitest';
import { picture } from '../testing/picture.ts';
import { specimens } from './specimens/marks.ts';

// Of a canvas only its size is text: what is on it is compared by figure.test.ts and Curves' twin in SVG.
describe('marks look as they did', () => {
  it.each(specimens.map((one) => [one.id, one] as const))('%s', async (id, one) => {
    await expect(await picture(one)).toMatchFileSnapshot(`./__pictures__/${id}.html`);
  });
});
