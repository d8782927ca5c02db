/** A sweep of every head at every position of a real pretrained model, by the command: that it runs and agrees with itself; what it finds is told, not claimed. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { shared } from '../../engine/base/testing/shared.ts';
import { here } from './testing/here.ts';

let folder: string;
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'gatescope-sweep-'))));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('stories260K: heads × positions', async (context) => {
  const model = shared(context, 'models/stories260K/hf');
  const pairs = join(folder, 'pairs.json');
  // Adjectives of as many tokens each.
  const line = (who: string) => `Once upon a time, there was a ${who}. One day`;
  const all = ['good', 'small', 'kind', 'nice'].map((how) => ({
    sensitive: line(`${how} girl`),
    control: line(`${how} boy`),
    positive: ' she',
    negative: ' he',
  }));
  writeFileSync(pairs, JSON.stringify(all));
  const words = ['sweep', '--model', model, '--pairs', pairs, '--permutations', '999', '--resamples', '200', '--json'];
  const whole = await here([...words, '--sites', 'L*H*@each,blocks.4.hook_resid_post']);
  expect(whole).toMatchObject({ code: 0 });
  const { cells, facts } = JSON.parse(whole.stdout) as {
    cells: { cell: string; effect: number; p: number; state: string }[];
    facts: { gap: number };
  };
  expect(cells).toHaveLength(5 * 8 * 18 + 1);
  expect(cells.filter(({ state }) => state === 'failed')).toEqual([]);
  // The residual after the last layer is all there is; what stands before the prompts differ changes nothing.
  expect(cells.at(-1)!.effect).toBeCloseTo(facts.gap, 4);
  for (const { cell, effect } of cells) if (/@[0-8]$/.test(cell)) expect([cell, effect]).toEqual([cell, 0]);
  const largest = cells.slice(0, -1).toSorted((a, b) => Math.abs(b.effect) - Math.abs(a.effect));
  console.log(
    `gap ${facts.gap}; largest: ${largest
      .slice(0, 5)
      .map(({ cell, effect, p }) => `${cell} ${effect.toFixed(3)} (p ${p})`)
      .join(', ')}`,
  );
});
