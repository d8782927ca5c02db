/** Whole forwards against a forward in plain loops with hooks, by both executors: every operation, donor and kind of position. */
import { afterAll, describe, expect, test } from 'vitest';
import { EXACT, expectClose } from '../base/testing/closeTo.ts';
import { Cancelled } from '../base/errors.ts';
import { OnnxRuntimeExecutor } from '../execute/onnxruntime.ts';
import { TensorFlowExecutor } from '../execute/tensorflow.ts';
import type { TransformerConfig } from '../models/transformer.ts';
import type { PairSet } from '../tasks/pairs.ts';
import { metricOf, observedOf, type RunOptions } from './effects.ts';
import type { Intervention, Write } from './intervention.ts';
import { drawnPairs, meanGap } from './testing/drawnPairs.ts';
import { plainForward, plainSites, type Hook } from './testing/plainForward.ts';
import { weights } from './testing/weights.ts';
import { WholeRunner } from './wholeRunner.ts';

const onnx = new OnnxRuntimeExecutor();
const executors = [onnx, new TensorFlowExecutor()];
afterAll(() => onnx.dispose());

const CONFIG: TransformerConfig = { vocabulary: 13, positions: 7, width: 12, heads: 3, layers: 3, mlp: 10 };
const SIZE = CONFIG.width / CONFIG.heads;
const parameters = weights(CONFIG, 1);
const LENGTH = 6;
const PAIRS = 5;
const pairs: PairSet = {
  ...drawnPairs(CONFIG, { pairs: PAIRS, length: LENGTH, divergence: 2, seed: 2 }),
  content: Int32Array.of(2, 3, 4, 2, 3),
};
const runners = executors.map((executor) => ({ executor, runner: new WholeRunner(executor, { config: CONFIG, parameters }) }));

const tokensOf = (arm: 'sensitive' | 'control' | 'cipher', pair: number) => pairs.arms[arm]!.subarray(pair * LENGTH, (pair + 1) * LENGTH);
const M = (logits: Float64Array[], pair: number) => {
  const { positive, negative } = pairs.metric;
  const own = logits[pairs.read[pair]];
  return (own[positive.tokens[2 * pair]] + own[positive.tokens[2 * pair + 1]]) / 2 - own[negative.tokens[pair]];
};
const all = Array.from({ length: PAIRS }, (_entry, pair) => pair);
const sitesOf = (arm: 'sensitive' | 'control' | 'cipher') => all.map((pair) => plainSites(CONFIG, parameters, tokensOf(arm, pair)));
const donors = { sensitive: sitesOf('sensitive'), control: sitesOf('control'), cipher: sitesOf('cipher') };
const base = all.map((pair) => M(plainForward(CONFIG, parameters, tokensOf('sensitive', pair)), pair));
const control = all.map((pair) => M(plainForward(CONFIG, parameters, tokensOf('control', pair)), pair));
/** What float32 may cost, a tenth of what planning may. */
const CLOSE = { relative: 0, absolute: 1e-5 * meanGap(Float32Array.from(base), Float32Array.from(control)) };

const z = (layer: number) => `blocks.${layer}.attn.hook_z`;
const head = (values: Float64Array, index: number) => values.subarray(index * SIZE, (index + 1) * SIZE);

/** What a hook written by hand says of every pair. */
const byHand = (hook: (pair: number) => Hook, arm: 'sensitive' | 'control' = 'sensitive') =>
  all.map((pair) => M(plainForward(CONFIG, parameters, tokensOf(arm, pair), hook(pair)), pair));

const at =
  (site: string, act: (values: Float64Array[]) => void): Hook =>
  (name, values) => {
    if (name === site) act(values);
  };

const vector = Float32Array.from({ length: CONFIG.width }, (_entry, i) => Math.sin(i + 1));
const short = vector.slice(0, SIZE);

const cases: [string, Write[], (pair: number) => Hook][] = [
  [
    'a head swapped at the read position',
    [{ site: z(1), index: 2, positions: 'read', op: 'swap', donor: { arm: 'control' } }],
    (pair) => at(z(1), (values) => head(values[5], 2).set(head(donors.control[pair].get(z(1))![5], 2))),
  ],
  [
    'a residual swapped where the token differs, another position for every pair',
    [{ site: 'blocks.1.hook_resid_pre', positions: 'content', op: 'swap', donor: { arm: 'cipher' } }],
    (pair) =>
      at(
        'blocks.1.hook_resid_pre',
        (values) => (values[pairs.content![pair]] = donors.cipher[pair].get('blocks.1.hook_resid_pre')![pairs.content![pair]].slice()),
      ),
  ],
  [
    'everything at the embedding',
    [{ site: 'hook_embed', positions: 'all', op: 'swap', donor: { arm: 'control' } }],
    (pair) => at('hook_embed', (values) => values.forEach((own, i) => own.set(donors.control[pair].get('hook_embed')![i]))),
  ],
  [
    'a unit set',
    [{ site: 'blocks.0.mlp.hook_post', index: 3, positions: [1, 4], op: 'set', amount: 2.5 }],
    () => at('blocks.0.mlp.hook_post', (values) => [1, 4].forEach((i) => (values[i][3] = 2.5))),
  ],
  [
    'keys scaled',
    [{ site: 'blocks.1.attn.hook_k', index: 0, positions: 'all', op: 'scale', amount: -0.5 }],
    () => at('blocks.1.attn.hook_k', (values) => values.forEach((own) => head(own, 0).forEach((x, i) => (own[i] = -0.5 * x)))),
  ],
  [
    'a direction added',
    [{ site: 'blocks.1.hook_resid_mid', positions: { role: 'other' }, op: 'add', vector, amount: 3 }],
    () =>
      at('blocks.1.hook_resid_mid', (values) =>
        [0, 1, 3, 4].forEach((i) => values[i].forEach((x, j) => (values[i][j] = x + 3 * vector[j]))),
      ),
  ],
  [
    'beyond the donor',
    [{ site: z(0), index: 1, positions: 'all', op: 'interpolate', donor: { arm: 'control' }, amount: 1.5 }],
    (pair) =>
      at(z(0), (values) =>
        values.forEach((own, i) => {
          const donor = head(donors.control[pair].get(z(0))![i], 1);
          head(own, 1).forEach((x, j) => (own[SIZE + j] = x + 1.5 * (donor[j] - x)));
        }),
      ),
  ],
  [
    'a direction turned round',
    [{ site: z(1), index: 0, positions: 'all', op: 'ablate', vector: short, amount: 5 }],
    () =>
      at(z(1), (values) =>
        values.forEach((own) => {
          const unit = Math.hypot(...short);
          const dot = short.reduce((sum, x, i) => sum + (x / unit) * own[i], 0);
          short.forEach((x, i) => (own[i] -= (5 * dot * x) / unit));
        }),
      ),
  ],
  [
    'a mean, place by place',
    [{ site: z(1), index: 1, positions: 'content', op: 'ablate', donor: { mean: 'control' } }],
    (pair) =>
      at(z(1), (values) => {
        for (let j = 0; j < SIZE; j++)
          values[pairs.content![pair]][SIZE + j] =
            all.reduce((sum, other) => sum + donors.control[other].get(z(1))![pairs.content![other]][SIZE + j], 0) / PAIRS;
      }),
  ],
  [
    'zero',
    [{ site: 'blocks.1.hook_mlp_out', positions: 'read', op: 'ablate', donor: { zero: true } }],
    () => at('blocks.1.hook_mlp_out', (values) => values[5].fill(0)),
  ],
  [
    'a pattern row',
    [{ site: 'blocks.1.attn.hook_pattern', index: 2, positions: 'read', op: 'swap', donor: { arm: 'control' } }],
    (pair) =>
      at('blocks.1.attn.hook_pattern', (values) =>
        values[5].set(donors.control[pair].get('blocks.1.attn.hook_pattern')![5].subarray(2 * LENGTH), 2 * LENGTH),
      ),
  ],
  [
    'stored numbers for every pair',
    [
      {
        site: 'blocks.0.attn.hook_q',
        index: 1,
        positions: 'read',
        op: 'swap',
        donor: { stored: Float32Array.from({ length: PAIRS * SIZE }, (_entry, i) => Math.cos(i)) },
      },
    ],
    (pair) =>
      at('blocks.0.attn.hook_q', (values) =>
        Array.from({ length: SIZE }, (_entry, j) => (values[5][SIZE + j] = Math.cos(pair * SIZE + j))),
      ),
  ],
  [
    'another prompt',
    [{ site: z(2), positions: 'read', op: 'swap', donor: { prompt: [1, 2, 3, 4, 5, 6] } }],
    () => {
      const donor = plainSites(CONFIG, parameters, [1, 2, 3, 4, 5, 6]).get(z(2))!;
      return at(z(2), (values) => values[5].set(donor[5]));
    },
  ],
  [
    'sites of three layers at once, one below the other',
    [
      { site: z(2), index: 0, positions: 'all', op: 'scale', amount: 2 },
      { site: z(0), index: 2, positions: 'all', op: 'swap', donor: { arm: 'control' } },
      { site: 'blocks.1.hook_resid_post', positions: 'content', op: 'add', vector },
      { site: z(0), index: 2, positions: 'read', op: 'scale', amount: 3 },
    ],
    (pair) => (site, values) => {
      if (site === z(0)) {
        values.forEach((own, i) => head(own, 2).set(head(donors.control[pair].get(z(0))![i], 2)));
        head(values[5], 2).forEach((x, i) => (values[5][2 * SIZE + i] = 3 * x));
      }
      if (site === 'blocks.1.hook_resid_post')
        values[pairs.content![pair]].forEach((x, i) => (values[pairs.content![pair]][i] = x + vector[i]));
      if (site === z(2)) values.forEach((own) => head(own, 0).forEach((x, i) => (own[i] = 2 * x)));
    },
  ],
];

describe.each(runners)('$executor.name', ({ runner }) => {
  test('every operation, donor and kind of position is what hooks written by hand give', async () => {
    const interventions = cases.map(([id, writes]): Intervention => ({ id, writes }));
    const effects = await runner.run(pairs, 'sensitive', interventions, { metrics: ['difference', 'argmax', { token: 4 }] });
    expectClose(metricOf(effects, 'difference'), base, CLOSE, 'base');
    expect(effects.state).toEqual(interventions.map(() => 'measured'));
    for (const [id, writes, hook] of cases) {
      const expected = byHand(hook);
      expectClose(metricOf(effects, 'difference', id), expected, CLOSE, id);
      // What is compared is not nothing.
      expect(Math.max(...expected.map((metric, pair) => Math.abs(metric - base[pair]))), id).toBeGreaterThan(100 * CLOSE.absolute);
      const at = effects.interventions.indexOf(id);
      expect(effects.moved[at], id).toBeGreaterThan(0);
      const positions = writes.reduce(
        (sum, { positions }) =>
          sum + ({ read: 1, content: 1, all: LENGTH } as Record<string, number>)[positions as string] ||
          sum + (Array.isArray(positions) ? positions.length : 4),
        0,
      );
      expect(effects.fired[at], id).toBe(positions * PAIRS);
    }
    const logits = all.map((pair) => plainForward(CONFIG, parameters, tokensOf('sensitive', pair))[5]);
    expectClose(
      metricOf(effects, 'argmax'),
      logits.map((own) => own.indexOf(Math.max(...own))),
      EXACT,
      'argmax',
    );
    expectClose(
      metricOf(effects, 'logit 4'),
      logits.map((own) => own[4]),
      CLOSE,
      'logit',
    );
  });

  test('a wrong site fails the same check', async () => {
    const [, writes, hook] = cases[0];
    const wrong = writes.map((write): Write => ({ ...write, site: z(2) }));
    const effects = await runner.run(pairs, 'sensitive', [{ id: 'wrong', writes: wrong }]);
    expect(() => expectClose(metricOf(effects, 'difference', 'wrong'), byHand(hook), CLOSE, 'wrong')).toThrow('largest error');
  });

  test("a run's own values change nothing; everything from the donor is the donor", async () => {
    const own: Write[] = ['hook_embed', z(1), 'blocks.2.hook_resid_pre'].map((site) => ({
      site,
      positions: 'all',
      op: 'swap',
      donor: { arm: 'sensitive' },
    }));
    const everything: Write[] = [0, 1, 2].flatMap((layer) =>
      [z(layer), `blocks.${layer}.hook_mlp_out`].map((site): Write => ({ site, positions: 'all', op: 'swap', donor: { arm: 'control' } })),
    );
    const embedding: Write = { site: 'hook_embed', positions: 'all', op: 'swap', donor: { arm: 'control' } };
    const effects = await runner.run(pairs, 'sensitive', [
      { id: 'own', writes: own },
      { id: 'everything', writes: [...everything, embedding] },
    ]);
    expectClose(metricOf(effects, 'difference', 'own'), metricOf(effects, 'difference'), EXACT, 'own');
    expect(effects.moved[0]).toBe(0);
    expect(effects.fired[0]).toBe(3 * LENGTH * PAIRS);
    expectClose(metricOf(effects, 'difference', 'everything'), control, CLOSE, 'everything');
  });

  test('observed values under an intervention, and without', async () => {
    const [id, writes, hook] = cases.at(-1)!;
    const observe: RunOptions['observe'] = [
      { site: z(1), index: 1 },
      { site: 'blocks.2.hook_resid_post', positions: 'content' },
      { site: z(0), index: 2, positions: 'all' },
    ];
    const effects = await runner.run(pairs, 'sensitive', [{ id, writes }], { observe });
    for (const name of [undefined, id])
      all.forEach((pair) => {
        const sites = plainSites(CONFIG, parameters, tokensOf('sensitive', pair), name === undefined ? undefined : hook(pair));
        const of = (i: number, size: number) => observedOf(effects, i, name).subarray(pair * size, (pair + 1) * size);
        const close = { relative: 0, absolute: 1e-4 };
        expectClose(of(0, SIZE), head(sites.get(z(1))![5], 1), close, 'a head at the read position');
        expectClose(of(1, CONFIG.width), sites.get('blocks.2.hook_resid_post')![pairs.content![pair]], close, 'residual');
        expectClose(
          of(2, LENGTH * SIZE),
          sites.get(z(0))!.flatMap((own) => [...head(own, 2)]),
          close,
          'all positions',
        );
      });
  });

  test.each(['recompute', 'freeze'] as const)('path patching, MLPs: %s', async (mlps) => {
    const writes: Write[] = [{ site: z(0), index: 1, positions: 'all', op: 'swap', donor: { arm: 'control' } }];
    const receivers = [
      { site: 'blocks.2.attn.hook_q', index: 0 },
      { site: 'blocks.1.attn.hook_v', index: 2 },
      { site: 'blocks.2.mlp.hook_pre', positions: 'read' as const },
    ];
    const effects = await runner.run(pairs, 'sensitive', [
      { id: 'plain', writes },
      { id: 'path', writes, receivers, mlps },
      { id: 'one', writes, receivers: receivers.slice(0, 1), mlps },
    ]);
    const frozenForward = (pair: number) =>
      plainSites(CONFIG, parameters, tokensOf('sensitive', pair), (site, values) => {
        if (/hook_z$/.test(site) || (mlps === 'freeze' && /hook_mlp_out$/.test(site)))
          values.forEach((own, i) => own.set(donors.sensitive[pair].get(site)![i]));
        if (site === z(0)) values.forEach((own, i) => head(own, 1).set(head(donors.control[pair].get(site)![i], 1)));
      });
    const expected =
      (received: typeof receivers) =>
      (pair: number): Hook => {
        const sent = frozenForward(pair);
        return (site, values) => {
          for (const { site: at, index, positions } of received)
            if (site === at)
              values.forEach((own, i) => {
                if (positions === 'read' && i !== 5) return;
                if (index === undefined) own.set(sent.get(site)![i]);
                else head(own, index).set(head(sent.get(site)![i], index));
              });
        };
      };
    expectClose(metricOf(effects, 'difference', 'path'), byHand(expected(receivers)), CLOSE, 'set of receivers');
    expectClose(metricOf(effects, 'difference', 'one'), byHand(expected(receivers.slice(0, 1))), CLOSE, 'one receiver');
    expect(Math.abs(metricOf(effects, 'difference', 'path')[0] - base[0])).toBeGreaterThan(10 * CLOSE.absolute);
    expect(() => expectClose(metricOf(effects, 'difference', 'plain'), byHand(expected(receivers)), CLOSE, 'plain')).toThrow(
      'largest error',
    );
  });
});

describe('runs', () => {
  const [{ runner }] = runners;
  const wide: PairSet = drawnPairs(CONFIG, { pairs: 70, length: LENGTH, divergence: 2, seed: 4 });
  const interventions: Intervention[] = [
    { id: 'resampled', writes: [{ site: z(1), positions: 'read', op: 'ablate', donor: { resample: 'control' } }] },
    { id: 'mean', writes: [{ site: z(1), positions: 'read', op: 'ablate', donor: { mean: 'sensitive' } }] },
    { id: 'noise', writes: [{ site: z(0), index: 1, positions: 'all', op: 'noise', amount: 0.5 }] },
  ];

  test('what is drawn depends on the seed alone', async () => {
    const [one, same, other] = await Promise.all([1, 1, 2].map((seed) => runner.run(wide, 'sensitive', interventions, { seed })));
    expectClose(one.metrics, same.metrics, EXACT, 'same seed');
    for (const [id, differs] of [
      ['resampled', true],
      ['mean', false],
      ['noise', true],
    ] as const)
      expect(
        metricOf(one, 'difference', id).some((metric, pair) => metric !== metricOf(other, 'difference', id)[pair]),
        id,
      ).toBe(differs);
  });

  test('a resampled donor is the same place of another pair, each used once', async () => {
    const observe = [{ site: z(1) }];
    const [effects, donors] = [
      await runner.run(
        wide,
        'sensitive',
        [{ id: 'resampled', writes: [{ site: z(1), positions: 'read', op: 'ablate', donor: { resample: 'control' } }] }],
        { observe },
      ),
      await runner.run(wide, 'control', [], { observe }),
    ];
    const part = (data: Float32Array, pair: number) => data.subarray(pair * CONFIG.width, (pair + 1) * CONFIG.width).join();
    const known = new Map(Array.from({ length: 70 }, (_entry, pair) => [part(donors.baseObserved[0], pair), pair]));
    const from = Array.from({ length: 70 }, (_entry, pair) => known.get(part(effects.observed[0][0], pair)));
    expect(new Set(from).size).toBe(70);
    expect(from.some((other, pair) => other === pair || other === undefined)).toBe(false);
  });

  test('cancelled between runs, and gone on with to the same bits', async () => {
    let stored: unknown;
    const abort = new AbortController();
    const context = { signal: abort.signal, checkpoint: async (state: unknown) => void ((stored = structuredClone(state)), abort.abort()) };
    await expect(runner.run(wide, 'sensitive', interventions, { seed: 3, context })).rejects.toThrow(Cancelled);
    const seen: number[] = [];
    const resumed = await runner.run(wide, 'sensitive', interventions, {
      seed: 3,
      context: { resume: stored, progress: ({ done, total }) => void seen.push(done / total) },
    });
    expectClose(resumed.metrics, (await runner.run(wide, 'sensitive', interventions, { seed: 3 })).metrics, EXACT, 'resumed');
    expect(seen[0]).toBeGreaterThan(0);
    expect(seen.at(-1)).toBe(1);
  });

  test('pairs that are read at different positions', async () => {
    const read = Int32Array.from({ length: 70 }, (_entry, pair) => 3 + (pair % 3));
    const mixed = await runner.run({ ...wide, read }, 'sensitive', interventions.slice(1, 2));
    const same = await Promise.all(
      [3, 4, 5].map((position) => runner.run({ ...wide, read: new Int32Array(70).fill(position) }, 'sensitive', [])),
    );
    const expected = Float32Array.from({ length: 70 }, (_entry, pair) => metricOf(same[pair % 3], 'difference')[pair]);
    expectClose(metricOf(mixed, 'difference'), expected, CLOSE, 'base');
  });
});
