/** What work would cost: from what such work took before in this session. Absent where there is nothing to go by. */
import type { TrainParameters } from '../../../engine/jobs/trainClassifier.ts';
import type { DataReference } from '../../../engine/tasks/dataReference.ts';
import { heldOutOf } from '../../../engine/tasks/heldOut.ts';
import { fieldOf } from '../../store/records.ts';
import type { SeriesEnd } from '../../store/runs.ts';
import type { Session } from '../../store/session.ts';
import type { Plan } from '../hostApi.ts';
import type { Outlines } from '../snapshot/outlines.ts';
import type { Prepared } from './requests.ts';

/** Of a data set that has not been read yet. */
const KNOWN_COUNTS: Readonly<Record<string, number>> = { mnist: 60_000, 'fashion-mnist': 60_000 };
/** Bytes of a float32 number. */
const NUMBER = 4;

export function estimate(session: Session, outlines: Outlines, prepared: Prepared): Pick<Plan, 'runs' | 'steps' | 'seconds' | 'bytes'> {
  if (prepared.of === 'protocol') return { runs: prepared.protocol.jobs(prepared.options) };
  const { request, data } = prepared;
  if (request.kind === 'trainClassifier') return training(session, outlines, request.parameters as TrainParameters, data);
  if (request.kind === 'interpolateMode') return { runs: 1 };
  const seconds = analysing(session, request.kind, ((fieldOf(request.parameters, 'models') ?? []) as unknown[]).length);
  return { runs: 1, ...(seconds !== undefined && { seconds }) };
}

function training(session: Session, outlines: Outlines, parameters: TrainParameters, data: DataReference): Omit<Plan, 'stored'> {
  const images = imagesOf(session, data);
  if (images === undefined) return { runs: 1 };
  const heldOut = parameters.rows === 'all' ? 0 : heldOutOf(images);
  const steps = parameters.epochs * Math.ceil((images - heldOut) / parameters.batch);
  const seconds = secondsOfSteps(session, outlines, parameters, steps);
  return { runs: 1, steps, ...(seconds !== undefined && { seconds }), bytes: NUMBER * steps * (2 + (parameters.measure ? 6 : 0)) };
}

function imagesOf(session: Session, { source, digest }: DataReference): number | undefined {
  const corpus = session.corpora().find((one) => one.digest === digest);
  return corpus?.details.counts?.train ?? KNOWN_COUNTS[source];
}

/** As long by step and image as the newest run of the same adapter, else of any. */
function secondsOfSteps(session: Session, outlines: Outlines, { adapter, batch }: TrainParameters, steps: number): number | undefined {
  const ends: ReadonlyMap<string, readonly SeriesEnd[]> = session.seriesEnds();
  const paces = session.runs().flatMap(({ key, seconds }) => {
    const length = ends.get(key)?.find(({ name }) => name === 'loss')?.length;
    if (seconds === undefined || !length) return [];
    const before = outlines.of(key).parameters as Partial<TrainParameters>;
    return [{ adapter: before.adapter, pace: seconds / (length * (before.batch ?? batch)) }];
  });
  const { pace } = paces.findLast((one) => one.adapter === adapter) ?? paces.at(-1) ?? {};
  return pace === undefined ? undefined : pace * steps * batch;
}

function analysing(session: Session, analysis: string, models: number): number | undefined {
  const before = session.results().findLast((row) => row.analysis === analysis && row.seconds !== undefined);
  return before?.seconds === undefined ? undefined : (before.seconds / Math.max(1, before.models.length)) * models;
}
