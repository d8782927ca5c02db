/** A model that a job gives and the session keeps as a run, and what a command tells of it. */
import type { Request } from '../../engine/contract.ts';
import type { TrainResult } from '../../engine/jobs/trainClassifier.ts';
import { titlesOf } from '../../engine/models/titles.ts';
import { canonicalDigest } from '../store/canonical.ts';
import { modelTitles } from '../host/modelTitles.ts';
import type { Work } from './work.ts';

export interface Trained {
  readonly digest: string;
  readonly title: string;
  readonly run: string;
  /** Numbers trained. */
  readonly parameters: number;
}

/** @param verb of the command, for the log of what was done: once for each run */
export async function trained({ session, prepare, submit }: Work, verb: string, request: Request): Promise<Trained> {
  const { key } = prepare(request);
  const isKept = () => session.runs().some((run) => run.key === key && run.state === 'done');
  const wasKept = isKept();
  const { model, count } = await submit<TrainResult>(request);
  const digest = canonicalDigest(model);
  if (!wasKept && isKept()) session.act(verb, { run: key, model: digest });
  return { digest, title: modelTitles(session.models()).get(digest) ?? titlesOf([model])[0], run: key, parameters: count };
}
