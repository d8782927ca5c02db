/** Answers at once, kept nowhere: what a dial or a slider asks for while it moves. */
import { z } from 'zod';
import { parseWith } from '../../../engine/base/schema.ts';
import { dataReference, type DataReference } from '../../../engine/tasks/dataReference.ts';
import type { Host, HostWindow } from '../host.ts';
import type { Answer, DrawnImages, HostApi, PathAccuracy } from '../hostApi.ts';
import { attached } from './attached.ts';
import { digest, fields, method, text } from './method.ts';

const number = z.number('must be a number');
const integer = z.int('must be an integer');
const data = fields({ source: text.min(1, 'must not be empty'), digest: digest.exactOptional() });
const image = z.union(
  [
    fields({ index: integer }),
    fields({ pixels: z.custom<Float32Array>((value) => value instanceof Float32Array, 'must be a Float32Array') }),
  ],
  'must be the number of a test image, or pixels',
);

export function liveMethods(host: Host, window: HostWindow): Pick<HostApi, 'answer' | 'drawImages' | 'pathAccuracy'> {
  const { live, paths } = host;
  const within = (place: string, given: DataReference): DataReference =>
    parseWith(dataReference, place, { ...given, source: paths.source(`${place}: data.source`, given.source) });
  return {
    answer: method(
      'answer',
      fields({
        data,
        image,
        angle: number,
        contenders: z.array(
          fields({ model: digest, form: z.enum(['base', 'soft', 'hard'], 'must be "base", "soft" or "hard"') }),
          'must be a list of models and forms',
        ),
        forced: z
          .array(fields({ unit: text, state: z.enum(['open', 'shut'], 'must be "open" or "shut"') }), 'must be a list of units')
          .exactOptional(),
        share: number.exactOptional(),
      }),
      ({ data: asked, contenders, ...rest }, { signal }) => {
        const { requests } = attached(window, 'answer');
        return live.ask<Answer>({
          window,
          overtakes: 'answer',
          signal,
          kind: 'liveAnswer',
          digests: contenders.map(({ model }) => model),
          model: (wanted) => requests.model(wanted, 'answer: contenders'),
          parameters: (models) => ({
            ...rest,
            data: within('answer', asked),
            contenders: contenders.map(({ model, form }) => ({ digest: model, form, ...models.get(model) })),
          }),
        });
      },
    ),
    drawImages: method(
      'drawImages',
      fields({
        data,
        part: z.enum(['train', 'test'], 'must be "train" or "test"'),
        indices: z.array(integer, 'must be a list of numbers of images'),
        angle: number,
      }),
      ({ data: asked, ...rest }, { signal }) =>
        live.ask<DrawnImages>({
          window,
          signal,
          kind: 'drawImages',
          parameters: () => ({ ...rest, data: within('drawImages', asked) }),
        }),
    ),
    pathAccuracy: method(
      'pathAccuracy',
      fields({
        data,
        model: digest,
        share: number,
        form: z.enum(['soft', 'hard'], 'must be "soft" or "hard"'),
        angles: z.array(number, 'must be a list of angles'),
        images: integer,
      }),
      ({ data: asked, model: wanted, ...rest }, { signal }) => {
        const { requests } = attached(window, 'pathAccuracy');
        return live.ask<PathAccuracy>({
          window,
          overtakes: 'pathAccuracy',
          signal,
          kind: 'pathAccuracy',
          digests: [wanted],
          model: () => requests.model(wanted, 'pathAccuracy: model'),
          parameters: (models) => ({ ...rest, data: within('pathAccuracy', asked), digest: wanted, ...models.get(wanted) }),
        });
      },
    ),
  };
}
