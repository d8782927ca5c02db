/** The same as readers.test.ts, ten thousand files for each reader. */
import { test } from 'vitest';
import { expectMistakeOrValue } from './testing/damage.ts';
import { readers } from './testing/readers.ts';

test.each(readers)('$name: whatever the bytes, a value or a mistake', async ({ good, read, sizeOf, damage }) => {
  await expectMistakeOrValue(good, read, sizeOf, 10_000, damage?.(good));
});
