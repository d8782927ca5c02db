/** Which networks of the demonstration answer on Home, and what is printed beside them. */
import type { Snapshot } from '../../../main/host/hostApi.ts';
import { change, degrees, percent, whole } from '../../words/numbers.ts';
import type { Contender } from '../modes/live/contenders.ts';

export interface HeroNetworks {
  readonly data: { readonly source: string; readonly digest?: string };
  /** Degrees of the mode. */
  readonly angle: number;
  readonly contenders: readonly Contender[];
  readonly numbers: readonly { readonly label: string; readonly value: string; readonly about: string }[];
}

/** The oldest gated mode and its foundation, with a low-rank adapter beside them. @returns undefined where there is no mode */
export function heroNetworks({ models, runs }: Snapshot): HeroNetworks | undefined {
  const shown = models.filter(({ hidden }) => !hidden);
  const mode = shown.find(({ gated, adapter }) => gated && adapter === 'dopamine') ?? shown.find(({ gated }) => gated);
  const base = shown.find(({ digest }) => digest === mode?.base);
  if (!mode || !base) return undefined;
  const rival = shown.find((model) => model.base === base.digest && model.adapter?.startsWith('lora'));
  const angle = mode.adapterAngles?.[0] ?? 45;
  const contenders: Contender[] = [
    { id: 'base', label: 'Base', model: base.digest, form: 'base' },
    { id: 'soft', label: 'Mode, soft', model: mode.digest, form: 'soft' },
    { id: 'hard', label: 'Mode, hard', model: mode.digest, form: 'hard' },
    ...(rival ? [{ id: 'rival', label: 'LoRA', model: rival.digest, form: 'soft' as const }] : []),
  ];
  const summary = runs.find((run) => run.model === mode.digest)?.summary;
  const at = (of: number): { label: string; value: string; about: string }[] => {
    const own = summary?.soft[of];
    const before = summary?.base[of];
    return own === undefined || before === undefined
      ? []
      : [{ label: `Accuracy at ${degrees(of)}`, value: percent(own), about: `${change(own - before)} on base` }];
  };
  const old = base.angles.find((one) => one !== angle);
  return {
    data: mode.data ?? { source: 'mnist' },
    angle,
    contenders,
    numbers: [
      ...at(angle),
      ...(old === undefined ? [] : at(old)),
      { label: 'Numbers changed', value: whole(mode.parameters), about: `of ${whole(base.parameters)}` },
    ],
  };
}
