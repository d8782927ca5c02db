/** The report of a policy circuit as tables for a terminal: heads in order of necessity + sufficiency, then what the gate does. */
import type { PolicyReport } from '../../engine/protocols/policyReport.ts';
import { aligned } from './table.ts';

export function policyTable({ accepted, sites, gate, rescue, collapse, commitment }: PolicyReport): string {
  const heads = Object.entries(sites).sort(([, a], [, b]) => b.necessity + b.sufficiency - (a.necessity + a.sufficiency));
  const rows = heads.map(([head, site]) => [
    `${head}${head === gate ? ' *' : ''}`,
    share(site.necessity),
    share(site.sufficiency),
    share(site.flip),
    probability(site.p),
    share(site.dlaOverGap),
    share(site.dlaShare),
    share(site.zeroAblation.sensitive),
    share(site.zeroAblation.control),
    share(site.cipherNecessity),
  ]);
  const titles = ['head', 'necessity', 'sufficiency', 'flip', 'p', 'DLA/gap', 'DLA share', 'zero, sens.', 'zero, contr.', 'cipher nec.'];
  const layers = commitment.route.map((_value, completed) => String(completed));
  const facts = [
    `gate *      ${gate}`,
    `rescue      ${share(rescue)} of cipher prompts are refused with the gate as in plain words`,
    `collapse    ${share(collapse)} of the gate’s necessity is gone under the cipher`,
    `accepted    ${accepted ? 'yes' : 'no: less than 98 % of some class of prompts is answered as the policy says'}`,
  ];
  return [
    'Effects of single heads at the read position, as shares of the mean gap between sensitive and control prompts\n\n',
    `${aligned([titles, ...rows])}\n\n`,
    'What goes with the residual at the read position after so many layers, as a share of the gap\n\n',
    `${aligned([
      ['layers', ...layers],
      ['route', ...commitment.route.map(share)],
      ['content', ...commitment.content.map(share)],
    ])}\n\n`,
    `${facts.join('\n')}\n`,
  ].join('');
}

/** To thousandths; what is not a number has none. */
export const share = (value: number): string => (Number.isNaN(value) ? '–' : (Number(value.toFixed(3)) + 0).toFixed(3).replace('-', '−'));

export const probability = (value: number): string =>
  Number.isNaN(value) ? '–' : value < 0.001 ? value.toExponential(1) : value.toFixed(3);
