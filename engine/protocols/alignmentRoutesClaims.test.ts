/** The status of every claim follows from its numbers: on the real tables, and on numbers moved across each bound. */
import { describe, expect, it } from 'vitest';
import { shared } from '../base/testing/shared.ts';
import { readPublishedFolder } from '../formats/publishedRouting/folder.ts';
import { importPublished, type PublishedResults } from '../formats/publishedRouting/importPublished.ts';
import { smallFolder } from '../formats/publishedRouting/testing/smallFolder.ts';
import { ALIGNMENT_ROUTES_CLAIMS } from './alignmentRoutesAbstract.ts';
import { judgeAlignmentRoutes, overall, type ClaimsInput } from './alignmentRoutesClaims.ts';
import type { TestbedReport } from './alignmentRoutesTestbed.ts';
import type { PolicySite } from './policyReport.ts';

const statuses = (input: ClaimsInput) => Object.fromEntries(judgeAlignmentRoutes(input).map(({ id, status }) => [id, status]));

/** Tier A as methods.md §1.7 has it. */
const gate: PolicySite = {
  necessity: 1,
  sufficiency: 1,
  flip: 1,
  dlaShare: 0,
  dlaOverGap: 0,
  zeroAblation: { sensitive: 0.2, control: 0 },
  cipherNecessity: 0,
  p: 1 / 10_001,
};
const report: TestbedReport = {
  accepted: true,
  sites: { L1H2: gate },
  gate: 'L1H2',
  rescue: 0.5,
  collapse: 1,
  commitment: { route: [0, 0, 1, 1, 1], content: [0, 0, 0, 0, 1] },
  amplifiers: { L2H0: -100, L2H1: -100 },
  thresholds: { t0: { refuse: 0.5, evade: 1.5 }, t1: { refuse: 0.25, evade: 1 } },
};

it('the authors’ tables carry part of the abstract', (context) => {
  const published = importPublished(readPublishedFolder(shared(context, 'published/how-alignment-routes')));
  const judged = judgeAlignmentRoutes({ published });
  expect(Object.fromEntries(judged.filter(({ evidence }) => evidence.length > 0).map(({ id, status }) => [id, status]))).toEqual({
    motif: 'in sign only',
    share: 'in sign only',
    panel: 'in sign only',
    ablation: 'reproduced',
    relocation: 'in sign only',
    contrast: 'in sign only',
  });
  const measured = (id: string) => judged.find((one) => one.id === id)!.evidence[0].measured;
  expect(measured('panel')).toMatchObject({
    models: 12,
    'necessity above 0': 12,
    'sufficiency of at least 1 %': 2,
    'gates with a deeper layer': 9,
  });
  // Under 1 % in half of the panel: the claim is of the three models it was made on.
  const shares = Object.entries(measured('share')).filter(([name]) => !name.includes(':'));
  expect(shares.filter(([, share]) => share < 0.01).map(([name]) => name.split('/')[1])).toEqual([
    'gemma-2-2b-it',
    'glm-z1-9b-0414',
    'Llama-3.3-70B-Instruct',
    'phi-4',
    'Phi-4-mini-instruct',
    'Qwen3-8B',
  ]);
  // The gate of Gemma-2-2B is 15th of 208.
  expect(Object.values(measured('contrast'))).toEqual([15 / 208, 4 / 768, 57 / 1152]);
  // Two of the five rows of Gemma-2-2B are of layers before the gate's, and one of them was counted as suppressed.
  expect(measured('motif')['gemma2_2b: deeper heads suppressed, share']).toBeCloseTo(2 / 3, 12);
  expect(measured('motif')['gemma2_2b: largest |change| of heads that are not deeper, %']).toBeCloseTo(2.1, 1);
  expect(measured('ablation')['strongest ablation, qwen25_7b over qwen25_72b']).toBeGreaterThan(56);
});

describe('testbeds', () => {
  it('that do all that is claimed reproduce it', () => {
    const judged = statuses({ tierA: report, tierB: [report, report] });
    const said = ['motif', 'share', 'necessity', 'ablation', 'dose', 'commitment', 'cipher', 'rescue'];
    for (const id of said) expect([id, judged[id]]).toEqual([id, 'reproduced']);
    expect(judged.thresholds).toBe('in sign only');
    for (const id of ['bands', 'panel', 'guidance', 'relocation', 'contrast']) expect(judged[id]).toBe('not reproducible here');
  });

  it.each<[string, Partial<TestbedReport>, string]>([
    ['motif', { amplifiers: { L2H0: -100, L2H1: -69 } }, 'in sign only'],
    ['motif', { amplifiers: { L2H0: -100, L2H1: 1 } }, 'not reproducible here'],
    ['share', { sites: { L1H2: { ...gate, dlaShare: 0.01 } } }, 'in sign only'],
    ['share', { sites: { L1H2: { ...gate, dlaShare: 0.2 } } }, 'not reproducible here'],
    ['necessity', { sites: { L1H2: { ...gate, necessity: 0.84 } } }, 'in sign only'],
    ['necessity', { sites: { L1H2: { ...gate, p: 0.001 } } }, 'in sign only'],
    ['necessity', { sites: { L1H2: { ...gate, sufficiency: -0.1 } } }, 'not reproducible here'],
    ['ablation', { sites: { L1H2: { ...gate, zeroAblation: { sensitive: 0.5, control: 0 } } } }, 'not reproducible here'],
    ['dose', { thresholds: { t0: { refuse: 0.5, evade: 1.5 }, t1: { refuse: 2, evade: 1 } } }, 'in sign only'],
    ['dose', { thresholds: { t0: { refuse: NaN, evade: 1.5 } } }, 'not reproducible here'],
    ['thresholds', { thresholds: { t0: { refuse: 0, evade: 1 }, t1: { refuse: 0, evade: 1 } } }, 'not reproducible here'],
    ['commitment', { commitment: { route: [0, 0.89, 0.89, 1], content: [0, 0, 0, 1] } }, 'not reproducible here'],
    ['cipher', { collapse: 0.69 }, 'in sign only'],
    ['cipher', { collapse: -0.1 }, 'not reproducible here'],
    ['rescue', { rescue: 0.27 }, 'in sign only'],
    ['rescue', { rescue: 0 }, 'not reproducible here'],
  ])('%s follows from %j: %s', (id, change, status) => {
    expect(statuses({ tierA: { ...report, ...change } })[id]).toBe(status);
  });

  it('that were not accepted do not count, and roads that disagree leave the sign', () => {
    expect(new Set(Object.values(statuses({ tierB: [{ ...report, accepted: false }] })))).toEqual(new Set(['not reproducible here']));
    expect(statuses({ tierA: report, tierB: [{ ...report, collapse: -1 }] }).cipher).toBe('in sign only');
    expect(overall([])).toBe('not reproducible here');
  });
});

it('tables of a cipher are judged by mean and magnitude', () => {
  const collapsed = (signed: number, magnitude: number): PublishedResults => {
    const results = importPublished(smallFolder());
    return {
      ...results,
      findings: results.findings.map((one) =>
        one.experiment === 'cipherInterchange'
          ? {
              ...one,
              findings: { ...one.findings, facts: { ...one.findings.facts, 'collapse.signed': signed, 'collapse.magnitude': magnitude } },
            }
          : one,
      ),
    };
  };
  expect(statuses({ published: collapsed(101, 98.8) }).cipher).toBe('reproduced');
  // Qwen3-8B: 70 % of the magnitude, while the mean, next to 0 in plaintext, turns to many times its size.
  expect(statuses({ published: collapsed(7700, 70.4) }).cipher).toBe('in sign only');
  expect(statuses({ published: collapsed(0, -5) }).cipher).toBe('not reproducible here');
});

it('every claim is there once, with or without numbers', () => {
  expect(judgeAlignmentRoutes({}).map(({ id, status, evidence }) => [id, status, evidence.length])).toEqual(
    Object.keys(ALIGNMENT_ROUTES_CLAIMS).map((id) => [id, 'not reproducible here', 0]),
  );
});
