/** The claims of How Alignment Routes, judged by the authors' own tables: no pairs, so no p; what is not among the tables is not judged. */
import type { Findings } from '../base/findings.ts';
import type { PublishedResults } from '../formats/publishedRouting/importPublished.ts';
import { PAPER_PANEL, publishedPanel } from '../formats/publishedRouting/panel.ts';
import { statusOf, type ClaimId, type Evidence } from './alignmentRoutesAbstract.ts';

export function judgePublished(results: PublishedResults): Evidence[] {
  const { models, findings } = results;
  const found: Evidence[] = [];
  const say = (claim: ClaimId, measured: Record<string, number>, holds: boolean, inSign: boolean, rule: string) =>
    found.push({ claim, source: 'published tables', measured, status: statusOf(holds, inSign), rule });
  const of = (experiment: string) =>
    findings
      .filter((one) => one.experiment === experiment)
      .map((one) => ({ ...one, heads: models.find(({ key }) => key === one.model)!.heads }));
  const named = <Row>(rows: readonly Row[], name: (row: Row) => string, value: (row: Row) => number) =>
    Object.fromEntries(rows.map((row) => [name(row), value(row)]));

  const cascades = of('cascade').filter(({ findings: { facts } }) => typeof facts.gate === 'string');
  const nulls = of('knockoutNull');
  if (cascades.length > 0) {
    const counted = cascades.map(({ model, heads, findings: { measures, facts } }) => {
      const layer = Number(/^L(\d+)/.exec(String(facts.gate))![1]);
      // Zeroing a head cannot change what earlier layers write: such rows show how much the final scale alone moves.
      const changes = [...measures.change.data]
        .map((change, cell) => ({ change, deeper: cell >= (layer + 1) * heads }))
        .filter(({ change }) => !Number.isNaN(change));
      const deeper = changes.filter((one) => one.deeper);
      const elsewhere = changes.filter((one) => !one.deeper).map(({ change }) => Math.abs(change));
      return {
        model,
        tested: deeper.length,
        suppressed: deeper.filter(({ change }) => change < 0).length,
        least: Math.min(...deeper.map(({ change }) => change)),
        elsewhere: Math.max(0, ...elsewhere),
      };
    });
    const beyond = nulls.map(({ model, findings: { facts } }) => ({
      model,
      times: Number(facts['gate.change']) / Number(facts['null.max']),
    }));
    say(
      'motif',
      {
        ...named(
          counted,
          ({ model }) => `${model}: deeper heads suppressed, share`,
          ({ suppressed, tested }) => suppressed / tested,
        ),
        ...named(
          counted,
          ({ model }) => `${model}: largest fall, %`,
          ({ least }) => least,
        ),
        ...named(
          counted,
          ({ model }) => `${model}: largest |change| of heads that are not deeper, %`,
          ({ elsewhere }) => elsewhere,
        ),
        ...named(
          beyond,
          ({ model }) => `${model}: gate over the largest of the null`,
          ({ times }) => times,
        ),
      },
      beyond.length === counted.length &&
        beyond.every(({ times }) => times > 1) &&
        counted.every(({ suppressed, tested }) => suppressed === tested),
      counted.every(({ suppressed, tested }) => suppressed > tested / 2),
      'reproduced: every deeper amplifier is suppressed in every model, beyond the largest of the null; in sign: most are in each model',
    );
  }

  const panel = publishedPanel(results);
  if (panel.length > 0) {
    const name = ({ model }: { model: string }) => model;
    say(
      'share',
      {
        ...named(panel, name, ({ share }) => share),
        ...named(
          panel,
          (row) => `${row.model}: times an equal share`,
          ({ lift }) => lift,
        ),
      },
      panel.every(({ share }) => share < 0.01),
      panel.some(({ share }) => share < 0.01),
      'reproduced: under 0.01 in every model of the panel; in sign: in some. Of a thousand components an equal share is 0.001',
    );
    const sufficient = panel.filter(({ sufficiency }) => sufficiency >= 1).length;
    const triggering = panel.filter(({ layer, layers }) => layer < layers - 1).length;
    say(
      'panel',
      {
        ...named(
          panel,
          (row) => `${row.model}: necessity, %`,
          ({ necessity }) => necessity,
        ),
        models: panel.length,
        'necessity above 0': panel.filter(({ necessity }) => necessity > 0).length,
        'sufficiency of at least 1 %': sufficient,
        'gates with a deeper layer': triggering,
      },
      panel.length === Object.keys(PAPER_PANEL).length &&
        panel.every(({ necessity }) => necessity > 0) &&
        sufficient === panel.length &&
        triggering === panel.length,
      panel.every(({ necessity }) => necessity > 0),
      'reproduced: in all twelve the gate is necessary, sufficient (at least 1 %) and has a deeper layer to trigger; in sign: necessity is above 0 in all',
    );
    const gates = ['qwen25_7b', 'qwen3_8b'].map((key) => panel.find(({ model }) => model === models.find((one) => one.key === key)?.id));
    if (gates[0] && gates[1]) {
      const [older, newer] = gates.map((row) => row!.layer / (row!.layers - 1));
      say(
        'relocation',
        { 'Qwen2.5-7B: relative depth': older, 'Qwen3-8B: relative depth': newer },
        false,
        older !== newer || gates[0].head !== gates[1].head,
        'in sign: the gate is another head at another depth; that behaviour stays the same is not in the tables, so never reproduced',
      );
    }
  }

  const strongest = (key: string) => {
    const data = of('ablation').find(({ model, variant }) => model === key && variant === '')?.findings.measures.nllReduction.data;
    return data ? Math.max(...[...data].filter((value) => !Number.isNaN(value))) : NaN;
  };
  const ratios = [
    ['gemma2_2b', 'gemma2_9b'],
    ['phi4_mini', 'phi4_14b'],
    ['qwen25_7b', 'qwen25_72b'],
  ].map(([small, large]) => ({ pair: `${small} over ${large}`, times: strongest(small) / strongest(large) }));
  if (ratios.every(({ times }) => times > 0)) {
    const most = Math.max(...ratios.map(({ times }) => times));
    say(
      'ablation',
      named(
        ratios,
        ({ pair }) => `strongest ablation, ${pair}`,
        ({ times }) => times,
      ),
      Math.abs(most - 58) <= 2,
      ratios.every(({ times }) => times > 1),
      'of the first half of the claim only. Reproduced: the largest ratio of a same-generation pair is 58 ± 2; in sign: all are above 1. These ablations are steps of α = 5 against the direction',
    );
  }

  const ranks = of('cipherContrast').flatMap(({ model, heads, findings: { measures, facts } }) => {
    if (facts['cells.imported'] !== facts.cells || !Object.hasOwn(PAPER_PANEL, model)) return [];
    const { data } = measures.sensitivity;
    return [{ model, place: placeOf(data, PAPER_PANEL[model].layer * heads + PAPER_PANEL[model].head) / data.length }];
  });
  if (ranks.length > 0)
    say(
      'contrast',
      named(
        ranks,
        ({ model }) => `${model}: place of the gate over all heads`,
        ({ place }) => place,
      ),
      ranks.every(({ place }) => place <= 0.05),
      ranks.every(({ place }) => place <= 0.25),
      'reproduced: the gate is in the top 5 % of heads of every model; in sign: in the top quarter',
    );

  const collapses = of('cipherInterchange').map(({ model, findings: { facts } }) => ({ model, facts }));
  if (collapses.length > 0)
    say(
      'cipher',
      {
        ...named(
          collapses,
          ({ model }) => `${model}: collapse of the mean, %`,
          ({ facts }) => Number(facts['collapse.signed']),
        ),
        ...named(
          collapses,
          ({ model }) => `${model}: collapse of the mean magnitude, %`,
          ({ facts }) => Number(facts['collapse.magnitude']),
        ),
      },
      collapses.every(({ facts }) => between70(facts['collapse.magnitude']) && between70(facts['collapse.signed'])),
      collapses.every(({ facts }) => Number(facts['collapse.magnitude']) > 0),
      'reproduced: mean and mean magnitude both fall by 70 to 105 % in every model; in sign: the magnitude falls',
    );
  return found;
}

/** More than all of it is lost where the sign turns a little. */
const between70 = (value: Findings['facts'][string]): boolean => Number(value) >= 70 && Number(value) <= 105;

/** 1 for the largest. */
function placeOf(data: ArrayLike<number>, cell: number): number {
  let place = 1;
  for (let i = 0; i < data.length; i++) if (data[i] > data[cell]) place++;
  return place;
}
