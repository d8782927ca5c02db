/** Units, threshold × gain, class × unit, and the whole Modes workspace, in every state. */
import type { ComponentProps } from 'svelte';
import type { Findings } from '../../../engine/base/findings.ts';
import type { UnitVectors } from '../../../main/host/hostApi.ts';
import { fixture } from '../../testing/fixtures.ts';
import { specimen, type Specimen } from '../../testing/picture.ts';
import { plainAxes, plainChoices, plainClassChoices } from '../../views/modes/choices.ts';
import ClassMap from '../../views/modes/classes/ClassMap.svelte';
import GhostField from '../../views/modes/GhostField.svelte';
import UnitScatter from '../../views/modes/scatter/UnitScatter.svelte';
import { manyUnits, type ManyUnits } from '../../views/modes/testing/manyUnits.ts';
import ModesScene from '../../views/modes/testing/ModesScene.svelte';
import * as scenes from '../../views/modes/testing/scenes.ts';
import { within, type UnitRectangle } from '../../views/modes/unitBrush.svelte.ts';
import { measuresOf } from '../../views/modes/units/measures.ts';
import type { Pointing } from '../../views/modes/units/pointing.ts';
import UnitField from '../../views/modes/units/UnitField.svelte';
import { unitTable } from '../../views/modes/units/unitTable.ts';

/** As types of their own, not interfaces: specimens take records. */
type FieldProps = Pick<ComponentProps<typeof UnitField>, keyof ComponentProps<typeof UnitField>>;
type ScatterProps = Pick<ComponentProps<typeof UnitScatter>, keyof ComponentProps<typeof UnitScatter>>;
type ClassProps = Pick<ComponentProps<typeof ClassMap>, keyof ComponentProps<typeof ClassMap>>;

const nothing = (): void => undefined;
const pointing: Pointing = { selected: undefined, hovered: undefined, pinned: [], onHover: nothing, onSelect: nothing, onPin: nothing };
const standing = { share: 1, base: false, angle: 45, temperature: [0.2, 0.2] };

/** The vectors of the stored mode. */
function storedVectors(): UnitVectors {
  const { parameters } = fixture<{ adapter: { parameters: Readonly<Record<string, Float32Array>> } }>('units').adapter;
  const of = (kind: string): number[] => [0, 1].flatMap((layer) => [...parameters[`layers.${layer}.gate.${kind}`]]);
  return {
    units: [64, 32].flatMap((width, layer) => Array.from({ length: width }, (_entry, i) => `L${layer}U${i}`)),
    layers: [
      { label: 'L0', begin: 0, end: 64 },
      { label: 'L1', begin: 64, end: 96 },
    ],
    threshold: Float32Array.from(of('threshold')),
    gain: Float32Array.from(of('gain')),
    contextual: false,
  };
}

const vectors = storedVectors();
const stored = unitTable({
  vectors,
  gated: true,
  gains: true,
  angle: 45,
  categories: fixture<Findings>('categories'),
  firing: fixture<Findings>('firing'),
  contributions: fixture<Findings>('contributions'),
  interchange: fixture<Findings>('interchange'),
});
const measures = measuresOf(stored, standing);
const bare = unitTable({ vectors, gated: true, gains: true, angle: 45 });
const ungated = unitTable({ vectors, gated: false, gains: false, angle: 45, categories: fixture<Findings>('categories') });
const wide = manyUnits([256, 128]);
const rectangle: UnitRectangle = { x: 'threshold', y: 'gain', across: { least: 0.3, most: 1 }, along: { least: 1.1, most: 1.8 } };
const keptBy = ({ measures: all }: Pick<ManyUnits, 'measures'>, found: UnitRectangle): Uint8Array => {
  const values = (id: string) => all.find((one) => one.id === id)!.values;
  return within(values(found.x), values(found.y), found);
};
const kept = keptBy({ measures }, rectangle);
const brushed = { kept, rectangle, brushed: kept.reduce((sum, one) => sum + one, 0) };

const fieldSize = { width: 560, height: 362 };
const scatterSize = { width: 484, height: 362 };
const classSize = { width: 392, height: 404 };
const field: FieldProps = { table: stored, measures, angle: 45, choices: plainChoices, onChoose: nothing, pointing };
const about = 'soft gates, T = 0.20 · 45° · seed 0';
const scatter: ScatterProps = { table: stored, measures, angle: 45, axes: plainAxes, onAxes: nothing, onBrush: nothing, pointing, about };
const classes: ClassProps = { table: stored, measures, choices: plainClassChoices, onChoose: nothing, below: 'Mode, soft', pointing };

const ofField = (id: string, title: string, changes: Partial<FieldProps> = {}): Specimen =>
  specimen(id, title, UnitField, { ...field, ...changes }, fieldSize);
const ofScatter = (id: string, title: string, changes: Partial<ScatterProps> = {}): Specimen =>
  specimen(id, title, UnitScatter, { ...scatter, ...changes }, scatterSize);
const ofClasses = (id: string, title: string, changes: Partial<ClassProps> = {}): Specimen =>
  specimen(id, title, ClassMap, { ...classes, ...changes }, classSize);

/** Compared as text. */
export const figures: readonly Specimen[] = [
  ofField('modes-field', 'Units by category'),
  ofField('modes-field-touched', 'Selected, pinned, forced, noted, brushed', {
    pointing: { ...pointing, selected: 41, hovered: 12, pinned: [3, 70] },
    kept,
    forced: new Map([
      [9, 'shut' as const],
      [20, 'open' as const],
    ]),
    noted: new Set([30, 80]),
  }),
  ofField('modes-field-class', 'Units by the class they fire on most', {
    choices: { group: 'class', sort: 'change', size: 'base', colour: 'change' },
  }),
  ofField('modes-field-partial', 'Before anything is measured: gains only', {
    table: bare,
    measures: measuresOf(bare, standing),
    choices: { ...plainChoices, colour: 'fires' },
  }),
  ofField('modes-field-loading', 'Loading', { table: undefined, measures: [], shown: { state: 'loading' } }),
  ofField('modes-field-refused', 'Refused', {
    table: undefined,
    measures: [],
    shown: { state: 'refused', text: 'units: must be a model with hidden layers, got 784-10' },
  }),
  ofField('modes-field-wide', '384 units', { table: wide.table, measures: wide.measures }),
  ofScatter('modes-scatter', 'Threshold × gain'),
  ofScatter('modes-scatter-brushed', 'Brushed, with a unit selected', { ...brushed, pointing: { ...pointing, selected: 41 } }),
  ofScatter('modes-scatter-axes', 'Other axes', { axes: { x: 'base', y: 'mode' } }),
  ofScatter('modes-scatter-ungated', 'An adapter without gates', {
    table: ungated,
    measures: measuresOf(ungated, standing),
    without: 'LoRA r = 4 changes weights, so its units have no thresholds. They can still be compared by what they do.',
  }),
  ofScatter('modes-scatter-wide', '384 units', { table: wide.table, measures: wide.measures }),
  ofClasses('modes-classes', 'Class × unit'),
  ofClasses('modes-classes-brushed', 'By index, brushed, with a unit selected', {
    choices: { layer: 'all', order: 'index' },
    kept,
    pointing: { ...pointing, selected: 41 },
  }),
  ofClasses('modes-classes-wide', '128 units', { table: wide.table, measures: wide.measures }),
  ofClasses('modes-classes-absent', 'Not run', {
    table: bare,
    measures: [],
    shown: {
      state: 'absent',
      text: 'How often each unit fires on each class, in the base and in the mode.',
      action: 'Measure 5 analyses, about 4 s',
    },
  }),
  specimen('modes-ghost', 'How to read a field', GhostField, {}, { width: 1172, height: 330 }),
];

const window = { width: 1356, height: 826 };

/** The whole workspace, which asks a host: to be looked at. */
export const screens: readonly Specimen[] = [
  specimen('modes-screen', 'The workspace', ModesScene, { make: () => scenes.sceneOf() }, window),
  specimen('modes-screen-wide', '784-256-128-10', ModesScene, { make: () => scenes.wide([256, 128]) }, window),
  specimen('modes-screen-huge', '5 000 units in each layer', ModesScene, { make: () => scenes.wide([5000, 5000]) }, window),
  specimen('modes-screen-unmeasured', 'Not measured yet', ModesScene, { make: scenes.notMeasured }, window),
  specimen('modes-screen-partly', 'Partly measured', ModesScene, { make: scenes.partly }, window),
  specimen('modes-screen-ungated', 'An adapter without gates', ModesScene, { make: scenes.ungated }, window),
  specimen('modes-screen-no-models', 'No models', ModesScene, { make: scenes.withoutModels }, window),
  specimen('modes-screen-no-modes', 'A foundation alone', ModesScene, { make: scenes.withoutModes }, window),
];

export const specimens: readonly Specimen[] = [...figures, ...screens];
