/** The language of sites: what every form of it names, and what is refused in which words. */
import { describe, expect, test } from 'vitest';
import { sitesOf, type SweptModel } from './siteQuery.ts';

const model: SweptModel = {
  sites: new Map(
    ['hook_embed', ...[0, 1].flatMap((l) => [`blocks.${l}.hook_resid_pre`, `blocks.${l}.attn.hook_z`, `blocks.${l}.mlp.hook_post`])].map(
      (name) => [name, { entries: name.endsWith('hook_z') ? 2 : name.endsWith('hook_post') ? 3 : 1, block: 4 }],
    ),
  ),
  layers: 2,
  heads: 2,
  length: 3,
};
const labels = (query: string) => sitesOf(query, model).map(({ label }) => label);

test.each([
  ['L*H*', ['L0H0', 'L0H1', 'L1H0', 'L1H1']],
  ['L1H0,L0H1', ['L1H0', 'L0H1']],
  ['L0-1H1', ['L0H1', 'L1H1']],
  ['blocks.*.attn.hook_z', ['blocks.0.attn.hook_z', 'blocks.1.attn.hook_z']],
  ['blocks.*.attn.hook_z[1]', ['L0H1', 'L1H1']],
  ['L*H1, blocks.*.attn.hook_z[1]', ['L0H1', 'L1H1']],
  ['*.hook_resid_pre@each', [0, 1].flatMap((l) => [0, 1, 2].map((at) => `blocks.${l}.hook_resid_pre@${at}`))],
  ['hook_embed@1-2', ['hook_embed@1', 'hook_embed@2']],
  ['L0H0@content', ['L0H0@content']],
  ['blocks.1.mlp.hook_post[0-1]@all', ['blocks.1.mlp.hook_post[0]@all', 'blocks.1.mlp.hook_post[1]@all']],
  ['L0H0@role:word', ['L0H0@role:word']],
])('%s', (query, expected) => {
  expect(labels(query)).toEqual(expected);
});

test('a cell says where and what, and at which positions', () => {
  expect(sitesOf('L1H0', model)).toEqual([{ label: 'L1H0', site: 'blocks.1.attn.hook_z', index: 0, positions: 'read' }]);
  expect(sitesOf('blocks.0.hook_resid_pre@2', model)).toEqual([
    { label: 'blocks.0.hook_resid_pre@2', site: 'blocks.0.hook_resid_pre', positions: [2] },
  ]);
  expect(sitesOf('L0H1@mark:topic', model)[0].positions).toEqual({ mark: 'topic' });
  expect(sitesOf('L0H1@role:word', model)[0].positions).toEqual({ role: 'word' });
});

describe('what means nothing here', () => {
  test.each([
    ['L2H0', /^siteSweep: sites must have each layer in \[0, 1\], ascending, got "L2H0"$/],
    ['L0H2', /^siteSweep: sites must have each head in \[0, 1\]/],
    ['L1-0H0', /^siteSweep: sites must have each layer in \[0, 1\], ascending/],
    ['L0H0@3', /^siteSweep: sites must have each position in \[0, 2\]/],
    [
      'blocks.0.attn.hook_q',
      /^siteSweep: sites must be sites of the model \(nearest: "blocks\.0\.attn\.hook_z"\), got "blocks\.0\.attn\.hook_q"$/,
    ],
    ['blocks.0.mlp.hook_post[3]', /^siteSweep: sites must have each index at blocks\.0\.mlp\.hook_post in \[0, 2\]/],
    ['L0H0,', /^siteSweep: sites must name a site between any two commas/],
    ['', /^siteSweep: sites must name a site/],
    ['L0H0@nowhere', /^siteSweep: sites must have positions that are read, content, all, each/],
    ['L0H0@1@2', /^siteSweep: sites must have at most one @/],
    ['head 3', /^siteSweep: sites must be heads \(L1H0, L\*H\*\) or sites/],
    // A name is no pattern of its own: a dot is a dot.
    ['blocks_0_hook_resid_pre', /^siteSweep: sites must be sites of the model/],
  ])('%s', (query, message) => {
    expect(() => sitesOf(query, model)).toThrow(message);
  });
});
