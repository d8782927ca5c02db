/** The Dopamine report as a table for a terminal. */
import type { Accuracy, DopamineReport } from '../../engine/protocols/dopamineReport.ts';
import { claimsText } from './findingsText.ts';
import { aligned } from './table.ts';

export function dopamineTable({ seeds, claims }: DopamineReport): string {
  const angles = Object.keys(seeds[0].frozen);
  const rows: string[][] = [['seed', 'adapter', 'parameters', 'form', ...angles.map((angle) => `${angle}°`), 'Δ at 45°']];
  for (const { seed, frozen, adapters } of seeds) {
    const row = (adapter: string, parameters: string, form: string, accuracy: Accuracy) =>
      rows.push([
        String(seed),
        adapter,
        parameters,
        form,
        ...angles.map((angle) => accuracy[angle].toFixed(2)),
        adapter === 'frozen base' ? '' : signed(accuracy['45'] - frozen['45']),
      ]);
    row('frozen base', '0', '', frozen);
    for (const [id, { parameters, soft, hard }] of Object.entries(adapters)) {
      row(id, String(parameters), hard ? 'soft' : '', soft);
      if (hard) row(id, String(parameters), 'hard', hard);
    }
  }
  return `Test accuracy in percent, of all test images at each angle\n\n${aligned(rows)}\n\n${claimsText(claims)}`;
}

/** To hundredths; nothing is not signed as a loss. */
const signed = (value: number): string => (Number(value.toFixed(2)) + 0 >= 0 ? '+' : '−') + Math.abs(value).toFixed(2);
