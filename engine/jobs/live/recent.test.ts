/** What is kept, what goes, and that it is let go of. */
import { expect, test } from 'vitest';
import { Recent } from './recent.ts';

test('what was used longest ago goes first, and is let go of', () => {
  const gone: string[] = [];
  const recent = new Recent<string>(6, { sizeOf: ({ length }) => length, letGo: (value) => void gone.push(value) });
  recent.set('a', 'aa');
  recent.set('b', 'bbb');
  expect(recent.get('a')).toBe('aa');
  recent.set('c', 'cc');
  expect(gone).toEqual(['bbb']);
  expect([recent.get('a'), recent.get('b'), recent.get('c')]).toEqual(['aa', undefined, 'cc']);
  recent.set('c', 'cccc');
  expect(gone).toEqual(['bbb', 'cc']);
  recent.set('d', 'larger than all');
  expect(gone).toEqual(['bbb', 'cc', 'aa', 'cccc']);
  expect(recent.get('d')).toBe('larger than all');
  expect(recent.for('d', () => 'made')).toBe('larger than all');
  expect(recent.for('e', () => 'e')).toBe('e');
  expect(recent.get('d')).toBeUndefined();
});
