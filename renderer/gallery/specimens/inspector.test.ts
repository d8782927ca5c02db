import { describe, expect, it } from 'vitest';
import '../../styles/tokens.css';
import '../../styles/base.css';
import { picture } from '../../testing/picture.ts';
import { specimens } from './inspector.ts';

describe('pictures of inspector', () => {
  it.each(specimens.map((one) => [one.id, one] as const))('%s', async (id, one) => {
    await expect(await picture(one)).toMatchFileSnapshot(`./__pictures__/${id}.html`);
  });
});
