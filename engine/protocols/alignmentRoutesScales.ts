/** What models with more and more heads say of the claim that large models route by bands (tier C, policyScales.ts). */
import { statusOf, type Evidence } from './alignmentRoutesAbstract.ts';
import { CARRIED, type ScalesReport } from './policyScales.ts';

/** Nothing where fewer than two models are accepted: one scale shows no change. */
export function judgeScales({ models }: ScalesReport): Evidence[] {
  const accepted = models.filter((model) => model.accepted).sort((a, b) => a.heads - b.heads);
  if (accepted.length < 2) return [];
  const best = accepted.map(({ best: { necessity } }) => necessity);
  const [fewest, most] = [accepted[0], accepted[accepted.length - 1]];
  return [
    {
      claim: 'bands',
      source: 'tier C',
      measured: Object.fromEntries(
        accepted.flatMap(({ heads, best: { necessity }, band }) => [
          [`${heads} heads: necessity of the best`, necessity],
          [`${heads} heads: leading heads that carry ${CARRIED} of the gap`, band],
        ]),
      ),
      status: statusOf(
        best.every((necessity, i) => i === 0 || necessity < best[i - 1]) && fewest.band === 1 && most.band > 1,
        best[best.length - 1] < best[0],
      ),
      rule:
        `reproduced: with every step to more heads the best head is needed less; with the fewest it carries ${CARRIED} of the gap, with the most several ` +
        'together do; in sign: the best is needed less with the most heads than with the fewest. Only heads grow in number, and narrower with it: not the model',
    },
  ];
}
