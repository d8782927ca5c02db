/** What trained classifiers are called: by what they are, so that the same models have the same names wherever they are compared. */
import type { ClassifierModel } from './classifier.ts';

/** More angles than this are told by their number. */
const MOST_ANGLES = 4;

/** `0°+45°` */
export function anglesText(angles: readonly number[]): string {
  if (angles.length > MOST_ANGLES) return `${angles.length} angles`;
  return angles
    .map((angle) => `${angle}°`)
    .join('+')
    .replaceAll('-', '−');
}

/**
 * `foundation 0°+45°, seed 0`; `dopamine λ=0.3 45° on foundation 0°+45°, seed 0`; `, held out` where images were set apart, the adapter's own
 * seed where it is another. Of equal titles the later ones are numbered.
 */
export function titlesOf(models: readonly ClassifierModel[]): string[] {
  const times = new Map<string, number>();
  return models.map((model) => {
    const title = titleOf(model);
    const time = (times.get(title) ?? 0) + 1;
    times.set(title, time);
    return time === 1 ? title : `${title} (${time})`;
  });
}

function titleOf({ angles, seed, rows, adapter }: ClassifierModel): string {
  const foundation = `foundation ${anglesText(angles)}, seed ${seed}${rows === 'remaining' ? ', held out' : ''}`;
  if (!adapter) return foundation;
  const sparsity = adapter.sparsity > 0 ? ` λ=${adapter.sparsity}` : '';
  const own = adapter.seed === seed ? '' : `, seed ${adapter.seed},`;
  return `${adapter.id}${sparsity} ${anglesText(adapter.angles)}${own} on ${foundation}`;
}
