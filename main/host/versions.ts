/** Versions of what computes, by id: what is kept of another version is marked. */
import { analyses } from '../../engine/analyses/index.ts';
import { jobKinds } from '../../engine/jobs/index.ts';
import { routingAnalyses } from '../../engine/analyses/routing/index.ts';
import { allProtocols } from '../../engine/protocols/index.ts';
import type { CurrentVersions } from '../store/records.ts';

export const currentVersions: CurrentVersions = Object.fromEntries(
  [...jobKinds, ...analyses, ...routingAnalyses, ...allProtocols].map(({ id, version }) => [id, version]),
);
