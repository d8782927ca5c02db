/** What of a session is about language models: views of image models show none of it. */
import { routingAnalyses } from '../../../engine/analyses/routing/index.ts';
import { trainPolicy } from '../../../engine/jobs/trainPolicy.ts';
import { routingProtocols } from '../../../engine/protocols/index.ts';
import type { ResultRow } from '../../store/results.ts';
import type { RunRow } from '../../store/runs.ts';

const ids = new Set([...routingAnalyses, ...routingProtocols].map(({ id }) => id));

export const isRoutingRun = ({ kind, languageModel }: RunRow): boolean => kind === trainPolicy.id || languageModel !== undefined;

/** Also of an analysis that is no longer there, and of tables that were imported. */
export const isRoutingResult = ({ analysis, languageModels }: ResultRow): boolean =>
  ids.has(analysis) || languageModels.length > 0 || analysis.startsWith('imported ');
