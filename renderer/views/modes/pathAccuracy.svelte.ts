/**
 * Accuracies of what is shown, at the mode's own angle and the old one, against the base's: asked for while the path's handle moves, the newest
 * question only, on few images then and on all once it rests. Kept nowhere.
 */
import type { PathRequest } from '../../../main/host/hostApi.ts';
import type { Host } from '../../state/connection.svelte.ts';
import type { ModesState } from './modesState.svelte.ts';

export interface Accuracies {
  readonly angles: readonly number[];
  /** %, by angle. */
  readonly shown: ArrayLike<number>;
  readonly base: ArrayLike<number>;
  /** How many they rest on: no more than there are. */
  readonly images: number;
  readonly baseImages: number;
}

interface Measured {
  readonly accuracy: ArrayLike<number>;
  readonly images: number;
}

/** Test images: all of MNIST's, and as many as can be answered between two frames or so. */
const AT_REST = 10_000;
const MOVING = 1000;

export class PathAccuracy {
  #found = $state.raw<Accuracies | undefined>();
  readonly #host: () => Host;
  readonly #onError: (error: unknown) => void;
  readonly #bases = new Map<string, Measured>();
  #wanted: PathRequest | undefined;
  /** What {@link found} is about: a network and its angles, wherever on the path. */
  #about: string | undefined;
  #asking = false;

  constructor(host: () => Host, onError: (error: unknown) => void) {
    this.#host = host;
    this.#onError = onError;
  }

  get found(): Accuracies | undefined {
    return this.#found;
  }

  /**
   * What is asked last is answered last; what was overtaken is not asked at all. Until there is an answer that to the last question stays, if it
   * is about the same network.
   * @param form what the network is called: base and mode are places of one path
   */
  ask(request: PathRequest | undefined, form?: string): void {
    const about = request && JSON.stringify([form, request.data, request.model, request.form, request.angles]);
    if (about !== this.#about) this.#found = undefined;
    this.#about = about;
    this.#wanted = request;
    if (request && !this.#asking) void this.#askAll();
  }

  async #askAll(): Promise<void> {
    this.#asking = true;
    while (this.#wanted) {
      const [request, about] = [this.#wanted, this.#about];
      try {
        const [shown, base] = [await this.#accuracyOf(request), await this.#baseOf(request)];
        if (about === this.#about)
          this.#found = {
            angles: request.angles,
            shown: shown.accuracy,
            base: base.accuracy,
            images: shown.images,
            baseImages: base.images,
          };
      } catch (error) {
        // Of a question that was overtaken nobody waits for the answer.
        if (this.#wanted === request) {
          this.#found = undefined;
          this.#onError(error);
        }
      }
      if (this.#wanted === request) this.#wanted = undefined;
    }
    this.#asking = false;
  }

  async #accuracyOf(request: PathRequest): Promise<Measured> {
    return this.#host().pathAccuracy(request);
  }

  /** The beginning of the path, asked for once. */
  async #baseOf(request: PathRequest): Promise<Measured> {
    const begin = { ...request, share: 0, form: 'soft' as const };
    const key = JSON.stringify(begin);
    let base = this.#bases.get(key);
    if (!base) this.#bases.set(key, (base = await this.#accuracyOf(begin)));
    return base;
  }
}

/** What to ask for what is shown: the base is the beginning of any mode's path. @returns undefined where there is no path to be on */
export function pathRequest({ shown, mode, form, share, moving, ownAngle, oldAngle }: ModesState): PathRequest | undefined {
  const model = form === 'base' ? mode : shown?.model;
  if (!model?.data || model.adapter === undefined) return undefined;
  return {
    data: model.data,
    model: model.digest,
    share: form === 'base' ? 0 : form === 'rival' ? 1 : share,
    form: form === 'hard' ? 'hard' : 'soft',
    angles: [...new Set([ownAngle, oldAngle])],
    images: moving ? MOVING : AT_REST,
  };
}
