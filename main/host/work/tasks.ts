/** What jobs do: asks engines, keeps what they give, and says in the session's history that it was done. */
import { UserError } from '../../../engine/base/errors.ts';
import type { Findings } from '../../../engine/base/findings.ts';
import type { Progress, Request } from '../../../engine/contract.ts';
import type { TrainResult } from '../../../engine/jobs/trainClassifier.ts';
import { titlesOf } from '../../../engine/models/titles.ts';
import type { Submit } from '../../../engine/protocols/protocol.ts';
import type { DataReference } from '../../../engine/tasks/dataReference.ts';
import type { ClassifierModel } from '../../../engine/models/classifier.ts';
import { canonicalDigest } from '../../store/canonical.ts';
import type { Session } from '../../store/session.ts';
import type { History } from '../history/history.ts';
import type { Work } from '../hostApi.ts';
import { identifyData } from '../knownData.ts';
import type { EnginePool } from '../pool.ts';
import type { PreparedRequest } from '../requestKey.ts';
import { shareOf, type Task, type TaskContext } from './board.ts';
import { modelsIn, protocolOf, type Prepared, type Requests } from './requests.ts';

/** The share of a job that measuring takes after a training. */
const MEASURING = 0.05;

export interface TasksOptions {
  readonly session: Session;
  readonly pool: EnginePool;
  readonly requests: Requests;
  readonly prepare: (request: Request) => PreparedRequest;
  readonly history: History;
  /** What models are called. */
  readonly titleOf: (digest: string) => string;
  /** Hears of a training under way. */
  readonly onProgress: (run: string, progress: Progress) => void;
  /** Something was kept. */
  readonly onKept: () => void;
}

type Training = Extract<Work, { kind: 'train' | 'interpolate' }>;
type Analysing = Extract<Work, { kind: 'analyse' | 'route' }>;
type Protocolling = Extract<Work, { kind: 'protocol' }>;
type OfRequest = Extract<Prepared, { of: 'request' }>;
type OfProtocol = Extract<Prepared, { of: 'protocol' }>;

export class Tasks {
  readonly #options: TasksOptions;

  constructor(options: TasksOptions) {
    this.#options = options;
  }

  /** @throws UserError for work that may not be: nothing has begun then */
  of(work: Work): Task {
    const prepared = this.#options.requests.prepared(work);
    const { key, data } = prepared;
    return {
      work,
      title: this.#title(work, prepared),
      ...(data.digest !== undefined && { key }),
      run: async (context) => {
        const identified = data.digest === undefined ? await this.#identified(data, context) : data;
        const ready = this.#options.requests.prepared(work, identified);
        context.known(ready.key);
        if (work.kind === 'protocol') return this.#protocol(work, ready as OfProtocol, context);
        if (work.kind === 'analyse' || work.kind === 'route') return this.#analyse(work, ready as OfRequest, context);
        return this.#train(work, ready as OfRequest, context);
      },
    };
  }

  async #identified(data: DataReference, context: TaskContext): Promise<DataReference> {
    context.progress({ stage: 'images', done: 0, total: 1 });
    const identified = await identifyData(this.#options.session, data, (request) => this.#submit(request, context));
    this.#options.onKept();
    return identified;
  }

  /** A training, or a mode that is made of others, and then how well its model does. */
  async #train(work: Training, { request, key }: OfRequest, context: TaskContext): Promise<void> {
    const { history } = this.#options;
    const begun = this.#state(key);
    let total = 1;
    const { model } = await this.#submit<TrainResult>(request, context, (progress) => {
      ({ total } = progress);
      context.progress(progress, (1 - MEASURING) * shareOf(progress));
      this.#options.onProgress(key, progress);
    });
    const measuring = this.#measuring(model, (request.parameters as { data: DataReference }).data);
    if (begun !== 'shown' && this.#isKept(key)) {
      const verb = work.kind === 'interpolate' ? 'interpolate' : model.adapter ? 'adapt' : 'train';
      const label = `${{ train: 'Train', adapt: 'Adapt', interpolate: 'Make' }[verb]} ${titlesOf([model])[0]}`;
      history.work(verb, { label, run: key, model: canonicalDigest(model), results: [this.#options.prepare(measuring).key] });
      this.#options.onKept();
    }
    // Steps stay those of the training: they are what is said to be kept.
    await this.#submit<Findings>(measuring, context, (progress) =>
      context.progress({ ...progress, done: total, total }, 1 - MEASURING * (1 - shareOf(progress))),
    );
  }

  /** On all test images, turned by what the foundation and the mode were trained on: soft, and hard where there are gates. */
  #measuring(model: ClassifierModel, data: DataReference): Request {
    const angles = [...new Set([...model.angles, ...(model.adapter?.angles ?? [])])];
    return { kind: 'accuracy', parameters: { models: [{ model }], data, options: { angles } } };
  }

  async #analyse({ analysis }: Analysing, { request, key }: OfRequest, context: TaskContext): Promise<void> {
    const begun = this.#state(key);
    await this.#submit<Findings>(request, context, context.progress);
    if (begun === 'shown' || !this.#isKept(key)) return;
    this.#options.history.work('analyse', { analysis, result: key });
    this.#options.onKept();
  }

  /** Its parts are runs and results as any others; undoing it hides those that it made. */
  async #protocol(work: Protocolling, { protocol, options, key }: OfProtocol, context: TaskContext): Promise<void> {
    const { session, history, prepare } = this.#options;
    const parts = new Set<string>();
    const submit: Submit = async <Result>(request: Request, onProgress?: (progress: Progress) => void) => {
      const part = prepare(request).key;
      if (this.#state(part) !== 'shown') parts.add(part);
      return this.#submit<Result>(request, context, (progress) => {
        onProgress?.(progress);
        if (request.kind === 'trainClassifier') this.#options.onProgress(part, progress);
      });
    };
    const begun = this.#state(key);
    const report = await protocol.run(options, submit, context.progress);
    session.saveReport(key, protocol.id, protocol.version, protocol.findings(report), options);
    if (begun !== 'shown' || parts.size > 0) {
      const runs = new Set(session.runs().map((run) => run.key));
      const [own, others] = [[...parts].filter((part) => runs.has(part)), [...parts].filter((part) => !runs.has(part))];
      history.work('run', { protocol: work.protocol, options: work.options, runs: own, results: [...others, key] });
    }
    this.#options.onKept();
  }

  #submit<Result>(request: Request, context: TaskContext, onProgress: (progress: Progress) => void = () => undefined): Promise<Result> {
    return this.#options.pool.submit<Result>(request, {
      signal: context.signal,
      onProgress,
      onCheckpoint: context.checkpointed,
      onRestart: ({ how }) => context.restarted(how),
    });
  }

  #state(key: string): 'absent' | 'hidden' | 'shown' {
    if (!this.#isKept(key)) return 'absent';
    return this.#options.history.hidden().has(key) ? 'hidden' : 'shown';
  }

  #isKept(key: string): boolean {
    return keptKeys(this.#options.session).has(key);
  }

  /** `dopamine 45° on foundation, seed 0`, `Which units fire: dopamine, seed 0` */
  #title(work: Work, prepared: Prepared): string {
    const { titleOf } = this.#options;
    switch (work.kind) {
      case 'train': {
        const { stage, seed } = (prepared as OfRequest).request.parameters as { stage: string; seed: number };
        return work.base === undefined ? `${stage}, seed ${seed}` : `${stage} on ${titleOf(work.base)}`;
      }
      case 'analyse': {
        const [first, ...more] = modelsIn(work);
        const models = first === undefined ? '' : `: ${titleOf(first)}${more.length > 0 ? ` and ${more.length} more` : ''}`;
        return `${work.analysis}${models}`;
      }
      case 'route': {
        const row = this.#options.session.languageModels().find(({ digest }) => digest === work.model);
        return `${work.analysis}: ${row?.label ?? work.model.slice(0, 12)}`;
      }
      case 'interpolate':
        return `${titleOf(work.model)} at ${work.share}${work.other === undefined ? '' : ` of the way to ${titleOf(work.other)}`}`;
      case 'protocol':
        return protocolOf(work.protocol).title;
      default:
        return work satisfies never;
    }
  }
}

/** Of runs that are done, and of results. */
export function keptKeys(session: Session): ReadonlySet<string> {
  const done = session.runs().filter(({ state }) => state === 'done');
  return new Set([...done, ...session.results()].map(({ key }) => key));
}

/** @throws UserError unless it may be written to: what is computed has to be kept */
export function requireWritable(session: Session, place: string): void {
  if (!session.writable)
    throw new UserError(place, 'must be open to writing to compute anything new (it is opened to be read)', session.path);
}
