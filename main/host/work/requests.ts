/**
 * Work that a window asks for as requests that engines take: models put in by their digests, defaults filled in as the command line fills
 * them, data known by what they are.
 */
import { routingAnalyses } from '../../../engine/analyses/routing/index.ts';
import { analyses } from '../../../engine/analyses/index.ts';
import { UserError } from '../../../engine/base/errors.ts';
import type { Request } from '../../../engine/contract.ts';
import { FOUNDATION_RATE, learningRateOf } from '../../../engine/models/adapters/learningRate.ts';
import type { ClassifierModel } from '../../../engine/models/classifier.ts';
import { allProtocols, protocols } from '../../../engine/protocols/index.ts';
import type { Protocol } from '../../../engine/protocols/protocol.ts';
import { dataReference, type DataReference } from '../../../engine/tasks/dataReference.ts';
import { fingerprint } from '../../../engine/tasks/imageData.ts';
import { fieldOf, textField } from '../../store/records.ts';
import type { Session } from '../../store/session.ts';
import { dataOfModels } from '../dataOfModels.ts';
import type { Paths } from '../files/paths.ts';
import { modelForRequest } from '../languageModels.ts';
import type { Work } from '../hostApi.ts';
import { reportKey } from '../prepare.ts';
import type { PreparedRequest } from '../requestKey.ts';

export type AnyProtocol = Protocol<Record<string, unknown>, unknown>;

/** Models that are kept at hand: what a window compares at once. */
const MOST_MODELS = 64;

/** What a piece of work comes to. */
export type Prepared =
  | (PreparedRequest & { readonly of: 'request'; readonly data: DataReference })
  | {
      readonly of: 'protocol';
      readonly protocol: AnyProtocol;
      readonly options: Record<string, unknown>;
      readonly key: string;
      readonly data: DataReference;
    };

/** What work on language models reads of images: nothing, which is known from the start. */
const NO_IMAGES: DataReference = { source: '', digest: '' };

export class Requests {
  readonly #session: Session;
  readonly #prepare: (request: Request) => PreparedRequest;
  readonly #paths: Paths;
  /** By digest, the last used at the end. */
  readonly #models = new Map<string, ClassifierModel>();
  /** Of work on data that are known: models and data are named by digests, so its key stays what it is. */
  readonly #keys = new Map<string, string>();

  /** @param prepare fills in a request's defaults and gives its key */
  constructor(session: Session, prepare: (request: Request) => PreparedRequest, paths: Paths) {
    this.#session = session;
    this.#prepare = prepare;
    this.#paths = paths;
  }

  /** The key of the work's run, result or report; undefined while it is not known what its data are. @throws UserError for what may not be */
  keyOf(work: Work): string | undefined {
    const id = JSON.stringify(work);
    let key = this.#keys.get(id);
    if (key !== undefined) return key;
    const prepared = this.prepared(work);
    if (prepared.data.digest === undefined) return undefined;
    ({ key } = prepared);
    // Data that are named by their place alone may be others the next time.
    const own = dataIn(work);
    if (own === undefined ? modelsIn(work).length > 0 : textField(own, 'digest') !== undefined) this.#keys.set(id, key);
    return key;
  }

  /** The work with its data as far as they are known, or as `known` says. @throws UserError for what may not be, naming the field */
  prepared(work: Work, known?: DataReference): Prepared {
    const data = known ?? this.known(this.dataOf(work));
    if (work.kind === 'protocol') {
      const protocol = protocolOf(work.protocol);
      const options = protocol.parse(readsImages(work) ? { ...work.options, data } : work.options);
      return { of: 'protocol', protocol, options, key: reportKey(protocol, options), data };
    }
    return { of: 'request', ...this.#prepare(this.#request(work, data)), data };
  }

  /** On which images: those that are named, else those that the models were trained on. @throws UserError if these are different ones */
  dataOf(work: Work): DataReference {
    if (!readsImages(work)) return NO_IMAGES;
    const place = placeOf(work);
    const own = dataIn(work);
    if (own !== undefined) {
      const parsed = dataReference.safeParse(own);
      if (!parsed.success) throw new UserError(`${place}: data`, 'must be the source of images, and their digest where it is known', own);
      return { ...parsed.data, source: this.#paths.source(`${place}: data.source`, parsed.data.source) };
    }
    const models = modelsIn(work).map((digest) => ({ digest }));
    const trained = this.#withFoundations(models);
    const found = trained.length > 0 ? dataOfModels(this.#session, trained, `${place}: data`) : undefined;
    if (!found) return { source: 'mnist' };
    return { ...found, source: this.#paths.source(`${place}: data.source`, found.source) };
  }

  /** With its digest, where the session knows the files. */
  known(reference: DataReference): DataReference {
    if (reference.digest !== undefined) return reference;
    const corpus = this.#session.corpusByFingerprint(fingerprint(reference.source));
    return corpus ? { source: reference.source, digest: corpus.digest } : reference;
  }

  /** @param place which field named it, for the error @throws UserError if it is not there, or its weights are not */
  model(digest: string, place: string): ClassifierModel {
    const known = this.#models.get(digest);
    if (!known && !this.#session.models().some((row) => row.digest === digest))
      throw new UserError(place, 'must be the digest of a model of this session', digest);
    const model = known ?? this.#session.model(digest);
    this.#models.delete(digest);
    this.#models.set(digest, model);
    for (const oldest of this.#models.keys()) if (this.#models.size > MOST_MODELS) this.#models.delete(oldest);
    return model;
  }

  /** Where a model came without its run, the images of its foundation stand for its own. */
  #withFoundations(models: readonly { readonly digest: string }[]): readonly { readonly digest: string }[] {
    const trained = new Set(this.#session.runs().map(({ model }) => model));
    const rows = new Map(this.#session.models().map((row) => [row.digest, row]));
    return models.map(({ digest }) => ({ digest: trained.has(digest) ? digest : (rows.get(digest)?.base ?? digest) }));
  }

  #request(work: Exclude<Work, { kind: 'protocol' }>, data: DataReference): Request {
    switch (work.kind) {
      case 'train':
        return { kind: 'trainClassifier', parameters: { ...this.#training(work), data } };
      case 'analyse': {
        const { analysis, models: asked, options = {}, seed } = work;
        if (!analyses.some(({ id }) => id === analysis))
          throw new UserError('analyse: analysis', `must be one of ${analyses.map(({ id }) => id).join(', ')}`, analysis);
        const models = asked.map((digest, i) => ({ model: this.model(digest, `${analysis}: models.${i}`) }));
        return { kind: analysis, parameters: { models, data, options, ...(seed !== undefined && { seed }) } };
      }
      case 'route':
        return this.#routing(work);
      case 'interpolate': {
        const { model, other, share, stage } = work;
        const parameters = {
          model: this.model(model, 'interpolate: model'),
          ...(other !== undefined && { other: this.model(other, 'interpolate: other') }),
          share,
          data,
          ...(stage !== undefined && { stage }),
        };
        return { kind: 'interpolateMode', parameters };
      }
      default:
        return work satisfies never;
    }
  }

  #routing({ analysis, model, pairs, others = [], options = {}, seed }: Extract<Work, { kind: 'route' }>): Request {
    const ids = routingAnalyses.map(({ id }) => id);
    if (!ids.includes(analysis)) throw new UserError('route: analysis', `must be one of ${ids.join(', ')}`, analysis);
    const subject = (one: { readonly model: string; readonly pairs: string }, place: string) => ({
      ...modelForRequest(this.#session, one.model, `${analysis}: ${place}model`),
      pairs: this.#session.pairSet(one.pairs),
    });
    const parameters = {
      ...subject({ model, pairs }, ''),
      others: others.map((other, i) => subject(other, `others.${i}.`)),
      options,
      ...(seed !== undefined && { seed }),
    };
    return { kind: analysis, parameters };
  }

  #training({ parameters, base: digest }: Extract<Work, { kind: 'train' }>): Record<string, unknown> {
    const given = defined(parameters);
    const { adapter } = given;
    const base = digest === undefined ? undefined : this.model(digest, 'train: base');
    const sparsity = Number(given.sparsity ?? 0);
    const stage = typeof adapter === 'string' ? `${adapter}${sparsity > 0 ? ` λ=${sparsity}` : ''}` : 'foundation';
    const optimiser = {
      kind: 'adam',
      learningRate: typeof adapter === 'string' ? learningRateOf(adapter) : FOUNDATION_RATE,
      ...defined((given.optimiser ?? {}) as Record<string, unknown>),
    };
    return { stage, seed: base?.seed ?? 0, ...given, optimiser, ...(base && { base }) };
  }
}

function defined(values: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}

export function protocolOf(id: string): AnyProtocol {
  const protocol = allProtocols.find((one) => one.id === id);
  if (!protocol) throw new UserError('run: protocol', `must be one of ${allProtocols.map((one) => one.id).join(', ')}`, id);
  return protocol;
}

/** Whether it is about models of images. */
function readsImages(work: Work): boolean {
  return work.kind !== 'route' && !(work.kind === 'protocol' && !protocols.some(({ id }) => id === work.protocol));
}

/** How errors call it. */
function placeOf(work: Work): string {
  return work.kind === 'analyse' || work.kind === 'route' ? work.analysis : work.kind === 'protocol' ? `run ${work.protocol}` : work.kind;
}

/** What the work itself says of its data; undefined where those of its models are meant. */
function dataIn(work: Work): unknown {
  switch (work.kind) {
    case 'train':
      return fieldOf(work.parameters, 'data');
    case 'analyse':
      return work.data;
    case 'protocol':
      return fieldOf(work.options, 'data') ?? {};
    case 'route':
    case 'interpolate':
      return undefined;
    default:
      return work satisfies never;
  }
}

/** Models of images. */
export function modelsIn(work: Work): readonly string[] {
  switch (work.kind) {
    case 'train':
      return work.base === undefined ? [] : [work.base];
    case 'analyse':
      return work.models;
    case 'interpolate':
      return work.other === undefined ? [work.model] : [work.model, work.other];
    case 'route':
    case 'protocol':
      return [];
    default:
      return work satisfies never;
  }
}
