/** The table of the Dopamine report, as text; a changed one is looked at before it is accepted. */
import { expect, test } from 'vitest';
import type { DopamineReport } from '../../engine/protocols/dopamineReport.ts';
import { dopamineTable } from './dopamineTable.ts';

const at = (upright: number, turned: number) => ({ 0: upright, 45: turned });
const report: DopamineReport = {
  protocol: 'dopamine',
  data: 'd'.repeat(64),
  seeds: [
    {
      seed: 0,
      frozen: at(94.1, 93.87),
      adapters: {
        dopamine: { parameters: 768, soft: at(90, 95.76), hard: at(90.123, 93.866) },
        'lora-r4': { parameters: 5696, soft: at(9.8, 92.5) },
      },
    },
    { seed: 12, frozen: at(100, 94.21), adapters: { dopamine: { parameters: 768, soft: at(0, 94.21), hard: at(0, 95) } } },
  ],
  claims: [
    { claim: 'dopamine gains', measured: { 'seed 0': 1.889999999999986, 'seed 12': 0, mean: 0.944999 }, status: 'in sign only' },
    { claim: 'LoRA is above', measured: { 'seed 0': -3.26, mean: -0.001 }, status: 'does not hold' },
    { claim: 'the base comes back', measured: { 'seed 0': 1 }, status: 'holds' },
  ],
};

test('rows by seed, adapter and form, differences with their sign, claims with their figures', () => {
  expect(dopamineTable(report)).toMatchInlineSnapshot(`
    "Test accuracy in percent, of all test images at each angle

    seed  adapter      parameters  form      0°    45°  Δ at 45°
    ────────────────────────────────────────────────────────────
       0  frozen base           0         94.10  93.87
       0  dopamine            768  soft   90.00  95.76     +1.89
       0  dopamine            768  hard   90.12  93.87     +0.00
       0  lora-r4            5696          9.80  92.50     −1.37
      12  frozen base           0        100.00  94.21
      12  dopamine            768  soft    0.00  94.21     +0.00
      12  dopamine            768  hard    0.00  95.00     +0.79

    Claims
      in sign only   dopamine gains
                     seed 0 1.89, seed 12 0, mean 0.94
      does not hold  LoRA is above
                     seed 0 −3.26, mean 0
      holds          the base comes back
                     seed 0 1
    "
  `);
});

test('a run without adapters has a row for the base', () => {
  const [{ seed, frozen }] = report.seeds;
  expect(dopamineTable({ ...report, seeds: [{ seed, frozen, adapters: {} }], claims: [] })).toMatchInlineSnapshot(`
    "Test accuracy in percent, of all test images at each angle

    seed  adapter      parameters  form     0°    45°  Δ at 45°
    ───────────────────────────────────────────────────────────
       0  frozen base           0        94.10  93.87

    Claims

    "
  `);
});
