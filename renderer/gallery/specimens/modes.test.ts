import { describe, expect, it } from 'vitest';
import '../../styles/tokens.css';
import '../../styles/base.css';
import { picture } from '../../testing/picture.ts';
import { figures } from './modes.ts';

describe('pictures of modes', () => {
  it.each(figures.map((one) => [one.id, one] as const))('%s', async (id, one) => {
    await expect(await picture(one)).toMatchFileSnapshot(`./__pictures__/${id}.html`);
  });
});
