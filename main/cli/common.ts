/** Options that several commands have, and the commands' paths. */
import type { Command } from 'commander';
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { fromFailure, UserError } from '../../engine/base/errors.ts';
import { namedData } from '../host/describe/data.ts';
import { nearest } from '../../engine/base/nearest.ts';
import { OfferingArgument, OfferingOption } from './offers.ts';

/** Ids to offer; other ranks, and those with options after a plus, are understood as well. */
export const ADAPTER_SUGGESTIONS = ['dopamine', 'threshold', 'gain', 'bias', 'lora-r1', 'lora-r4', 'lora-r8', 'full'];

export const sessionOption = (description: string): OfferingOption =>
  new OfferingOption('--session <file>', description, { from: 'files' });

export const fileArgument = (): OfferingArgument => new OfferingArgument('<file>', 'the session file', { from: 'files' });

/** @param place the command, for errors */
export const addCores = (command: Command, place: string): Command =>
  command.option(
    '--cores <n>',
    'engines and threads to use; results do not depend on it',
    (text) => coresOf(text, place),
    availableParallelism(),
  );

export function coresOf(text: string, place: string): number {
  const cores = /^\d+$/.test(text) ? Number(text) : NaN;
  if (!(cores >= 1 && cores <= 256)) throw new UserError(`${place}: --cores`, 'must be an integer in [1, 256]', text);
  return cores;
}

/** ` (nearest: "gain")`, to be put after a rule; nothing where nothing is near. */
export function nearestText(text: string, candidates: Iterable<string>): string {
  const like = nearest(text, candidates);
  return like === undefined ? '' : ` (nearest: ${JSON.stringify(like)})`;
}

/** The same mistake in other words: its value was put into words where it was found. */
export function reworded({ value, cause }: UserError, field: string, rule: string): Error {
  return Object.assign(fromFailure({ kind: 'mistake', message: `${field} ${rule}, got ${value}`, field, rule, value }), { cause });
}

/** A path that means the same wherever the command is given again. */
export function absolutePath(text: string, place: string, what: string): string {
  if (text === '') throw new UserError(place, `must name a ${what}`, text);
  return resolve(text);
}

/** A source of images that means the same wherever it is read; what is nothing here stays as it was written, for the error. */
export function dataSource(text: string): string {
  return !namedData.includes(text) && existsSync(text) ? resolve(text) : text;
}
