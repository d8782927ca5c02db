/**
 * A small language for places in a model, for command lines: each place is one cell of a sweep.
 *
 *   query     = term, or several with commas between them: L1H0,L2H3@content
 *   term      = head or site, and after an @ positions; `read` unless given
 *   head      = L0H3, L*H*, L1-3H0: what a head gives (blocks.0.attn.hook_z, index 3)
 *   site      = a name as in TransformerLens in which * stands for any part of it: blocks.*.attn.hook_z, *.hook_resid_post; all of the site is one
 *               cell, with [3], [0-3] or [*] after it each index (head, unit, expert) is one
 *   positions = read | content | all (together); each, 3 or 2-5 (every one a cell); role:NAME, mark:NAME
 *
 * What a model has is handed in; nothing here knows models.
 */
import { UserError } from '../base/errors.ts';
import { nearest } from '../base/nearest.ts';
import { headOutput } from '../models/sites.ts';
import type { Positions, SiteSize } from './intervention.ts';

export interface SweepCell {
  /** `L1H0`, `L1H0@3`, `blocks.0.hook_resid_post`, `blocks.0.mlp.hook_post[7]@content`; no two of a query have the same. */
  readonly label: string;
  readonly site: string;
  readonly index?: number;
  readonly positions: Positions;
}

export interface SweptModel {
  /** What each site that can be written to is like, by name, in the order of the model. */
  readonly sites: ReadonlyMap<string, SiteSize>;
  readonly layers: number;
  readonly heads: number;
  /** Positions of a prompt. */
  readonly length: number;
}

/** In errors: the field of the sweep that the query is given in. */
const PLACE = 'siteSweep: sites';
/** More than any screen shows or anybody waits for. */
const MOST_CELLS = 1_000_000;

/** @returns the cells in the order of the query, each once @throws UserError naming the term that means nothing here */
export function sitesOf(query: string, model: SweptModel): SweepCell[] {
  const found = new Map<string, SweepCell>();
  for (const term of query.split(',').map((part) => part.trim())) {
    if (term === '')
      throw new UserError(PLACE, 'must name a site between any two commas, e.g. L*H* or blocks.*.attn.hook_z@content', query);
    const [target, at, ...more] = term.split('@');
    if (more.length > 0) throw new UserError(PLACE, 'must have at most one @ in a term', term);
    const where = positionsOf(term, at ?? 'read', model.length);
    for (const part of targetsOf(term, target, model))
      for (const { suffix, positions } of where) {
        const label = `${part.label}${suffix}`;
        if (found.size >= MOST_CELLS) throw new UserError(PLACE, `must come to at most ${MOST_CELLS} cells`, query);
        found.set(label, { ...part, label, positions });
      }
  }
  return [...found.values()];
}

type Part = Omit<SweepCell, 'positions'>;

function targetsOf(term: string, target: string, model: SweptModel): Part[] {
  const head = /^L(\*|\d+(?:-\d+)?)H(\*|\d+(?:-\d+)?)$/.exec(target);
  if (head) {
    const layers = numbers(term, 'layer', head[1], model.layers);
    return layers.flatMap((layer) =>
      numbers(term, 'head', head[2], model.heads).map((index) => ({ label: `L${layer}H${index}`, site: headOutput(layer), index })),
    );
  }
  const named = /^([\w.*]+)(?:\[(\*|\d+(?:-\d+)?)\])?$/.exec(target);
  if (!named) throw new UserError(PLACE, 'must be heads (L1H0, L*H*) or sites (blocks.*.attn.hook_z, hook_embed[*])', term);
  const [, name, indices] = named;
  const pattern = new RegExp(`^${name.split('*').map(escaped).join('.*')}$`);
  const sites = [...model.sites].filter(([site]) => pattern.test(site));
  if (sites.length === 0) {
    const like = nearest(name, model.sites.keys());
    throw new UserError(PLACE, `must be sites of the model${like === undefined ? '' : ` (nearest: ${JSON.stringify(like)})`}`, term);
  }
  return sites.flatMap(([site, { entries }]) =>
    indices === undefined
      ? [{ label: site, site }]
      : numbers(term, `index at ${site}`, indices, entries).map((index) => ({ label: labelOf(site, index), site, index })),
  );
}

/** A head has one label, however it was asked for. */
function labelOf(site: string, index: number): string {
  const layer = /^blocks\.(\d+)\.attn\.hook_z$/.exec(site)?.[1];
  return layer === undefined ? `${site}[${index}]` : `L${layer}H${index}`;
}

function positionsOf(term: string, text: string, length: number): { suffix: string; positions: Positions }[] {
  if (text === 'read') return [{ suffix: '', positions: text }];
  if (text === 'content' || text === 'all') return [{ suffix: `@${text}`, positions: text }];
  const named = /^(role|mark):(.+)$/.exec(text);
  if (named) return [{ suffix: `@${text}`, positions: named[1] === 'role' ? { role: named[2] } : { mark: named[2] } }];
  if (text !== 'each' && !/^\d+(-\d+)?$/.test(text))
    throw new UserError(PLACE, 'must have positions that are read, content, all, each, numbers (3, 2-5), role:NAME or mark:NAME', term);
  return numbers(term, 'position', text === 'each' ? '*' : text, length).map((at) => ({ suffix: `@${at}`, positions: [at] }));
}

/** `*`, `3` or `1-3` of `count`. */
function numbers(term: string, what: string, text: string, count: number): number[] {
  if (text === '*') return Array.from({ length: count }, (_, i) => i);
  const [first, last = first] = text.split('-').map(Number);
  if (last >= count || first > last) throw new UserError(PLACE, `must have each ${what} in [0, ${count - 1}], ascending`, term);
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}

const escaped = (text: string): string => text.replaceAll('.', '\\.');
