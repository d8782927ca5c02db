/** Suffixes at every site of transformers with every option, against whole graphs: what is exact, what is refused, and which is which. */
import { afterAll, describe, expect, test } from 'vitest';
import { expectClose } from '../base/testing/closeTo.ts';
import { Random } from '../base/random.ts';
import { OnnxRuntimeExecutor } from '../execute/onnxruntime.ts';
import { TensorFlowExecutor } from '../execute/tensorflow.ts';
import { isReading } from '../models/sites.ts';
import type { TransformerConfig } from '../models/transformer.ts';
import { BASE, options } from '../models/testing/options.ts';
import { randomWeights } from '../models/testing/plainTransformer.ts';
import { CutRefusal } from './restrict.ts';
import { BRANCH_COUNT, SiteChecks } from './testing/siteChecks.ts';
import { range } from './testing/weights.ts';

const onnx = new OnnxRuntimeExecutor();
const executors = [onnx, new TensorFlowExecutor()];
afterAll(() => onnx.dispose());

const LENGTH = 6;
const POSITIONS = [0, LENGTH / 2, LENGTH - 1];
const ROWS = 2;
/** Rounding moves probabilities of experts by less than this; a choice that is nearer to another one is not compared. */
const NEAR = 1e-5;

const TWO = { ...BASE, heads: 2, layers: 2 };
const some = (query: number, key: number, turn: number) => key === 0 || key === query || (query + key + turn) % 2 === 0;
const ROUTED: TransformerConfig = {
  ...TWO,
  ...options['llama'],
  keyValueHeads: 1,
  roles: ['start', 'content', 'ask'],
  reads: range(2).map((layer) => range(2).map((head) => range(3).map((q) => range(3).map((k) => some(q, k, layer + head))))),
  writes: range(2).map((layer) => ({ attention: [true, layer === 0, true], mlp: [true, true, layer === 1] })),
  headGate: true,
  experts: { count: 4, chosen: 2 },
};

const make = (config: TransformerConfig, executor = onnx as (typeof executors)[number], seed = 1) =>
  new SiteChecks(executor, config, randomWeights(config, new Random(seed)), {
    rows: ROWS,
    length: LENGTH,
    ...(config.roles && { roles: Int32Array.of(0, 1, 1, 1, 2, 2) }),
    seed: seed + 1,
  });

/** Compares one site at all positions; how many branches moved the logits. */
function compare(checks: SiteChecks, site: string, axis: number): number {
  const tolerance = { relative: 0, absolute: 1e-5 * checks.gap };
  let moved = 0;
  for (const position of POSITIONS) {
    const what = `${checks.oracle.name}: ${site} at ${position}`;
    const { branches, margin } = checks.whole(site, axis, position);
    if (margin < NEAR) continue;
    const made = checks.suffix(onnx, site, axis, position);
    for (const branch of range(BRANCH_COUNT)) {
      expectClose(made[branch], branches[branch], tolerance, `${what}, branch ${branch}`);
      if (branches[branch].some((logit, i) => Math.abs(logit - checks.clean[i]) > 1e-3 * checks.gap)) moved++;
    }
    // Its own activation changes nothing.
    expectClose(made[1], checks.clean, tolerance, `${what}: itself`);
  }
  return moved;
}

describe('every site that has positions', () => {
  test.each<[string, TransformerConfig]>([
    ['layer norm, learned positions, gelu', TWO],
    ['routed, gated, grouped, rotary, masked by roles', ROUTED],
  ])('%s', (_name, config) => {
    for (const executor of executors) {
      const checks = make(config, executor);
      const idle: string[] = [];
      const sites = [...checks.sites()].filter(([site]) => !isReading(site));
      // The slow executor judges every third.
      const judged = executor === onnx ? sites : sites.filter((_site, i) => i % 3 === 0);
      for (const [site, axis] of judged) if (compare(checks, site, axis) === 0) idle.push(site);
      // An expert may be chosen by none of these tokens, and the donor may choose as the clean prompt does.
      expect(
        idle.filter((site) => !/experts|hook_decision/.test(site)),
        'sites whose change was never seen',
      ).toEqual([]);
    }
  });

  test('where a whole row leaves early: exact after the exit, refused before it', () => {
    const config: TransformerConfig = { ...TWO, layers: 3, exit: { after: 1, threshold: 0.5 } };
    for (const executor of executors) {
      // Of the rows of this seed, some leave.
      const checks = make(config, executor, 5);
      for (const [site, axis] of checks.sites()) {
        if (isReading(site)) continue;
        if (/^(blocks\.2|ln_final|hook_logits)/.test(site)) compare(checks, site, axis);
        else expect(() => checks.suffix(onnx, site, axis, 2), site).toThrow(CutRefusal);
      }
    }
  });

  test('scores and pattern have two axes of positions, and are refused', () => {
    const checks = make(TWO);
    for (const site of ['hook_attn_scores', 'hook_pattern'])
      expect(() => checks.suffix(onnx, `blocks.0.attn.${site}`, 2, 1)).toThrow(/^suffix: site|must have one axis of positions/);
  });
});
