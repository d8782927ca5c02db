/** Damaged and hostile files, for every reader of bytes: a good value or a mistake, never another error. */
import { test } from 'vitest';
import { expectMistakeOrValue } from './testing/damage.ts';
import { readers } from './testing/readers.ts';

test.each(readers)('$name: whatever the bytes, a value or a mistake', async ({ good, read, sizeOf, damage }) => {
  await expectMistakeOrValue(good, read, sizeOf, 300, damage?.(good));
});
