/** Columns of the runs table: what they are called, how wide they are, what they say. Which are there and in which order is the user's. */
import { change, decimal, degrees, duration, percent, whole } from '../../words/numbers.ts';
import type { RunView, SortColumn } from './rows.ts';

export interface Column {
  readonly id: SortColumn;
  readonly title: string;
  /** Under the table of what it is: for the header's tooltip and the export. */
  readonly about: string;
  readonly unit: string;
  readonly width: number;
  readonly number: boolean;
  readonly write: (row: RunView) => string;
}

/** @param angle that modes are judged at @param other whose accuracy they should keep */
export function columnsOf(angle: number, other: number | undefined): Column[] {
  const [here, there] = [degrees(angle), degrees(other ?? 0)];
  const columns: Column[] = [
    {
      id: 'name',
      title: 'Adapter',
      about: 'what is trained on the frozen base',
      unit: '',
      width: 150,
      number: false,
      write: ({ name }) => name,
    },
    {
      id: 'seed',
      title: 'Seed',
      about: 'of first weights and order of images',
      unit: '',
      width: 48,
      number: true,
      write: ({ seed }) => whole(seed),
    },
    { id: 'state', title: 'State', about: '', unit: '', width: 120, number: false, write: ({ state }) => state },
    {
      id: 'soft',
      title: `${here} soft, %`,
      about: `accuracy at ${here}, soft gates`,
      unit: '%',
      width: 86,
      number: true,
      write: ({ soft }) => decimal(soft, 2),
    },
    {
      id: 'hard',
      title: `${here} hard`,
      about: `accuracy at ${here}, hard gates`,
      unit: '%',
      width: 72,
      number: true,
      write: ({ hard }) => decimal(hard, 2),
    },
    {
      id: 'gain',
      title: 'Gain on frozen',
      about: `change of accuracy at ${here} from the foundation's`,
      unit: 'points',
      width: 132,
      number: true,
      write: ({ gain }) => change(gain, 2),
    },
    {
      id: 'other',
      title: `${there}, mode on`,
      about: `accuracy at ${there} with the mode on`,
      unit: '%',
      width: 86,
      number: true,
      write: ({ other: value }) => decimal(value, 2),
    },
    {
      id: 'kept',
      title: `Kept at ${there}`,
      about: `change of accuracy at ${there} from the foundation's`,
      unit: 'points',
      width: 82,
      number: true,
      write: ({ kept }) => change(kept, 2),
    },
    {
      id: 'parameters',
      title: 'Parameters',
      about: 'numbers that are trained',
      unit: '',
      width: 82,
      number: true,
      write: ({ parameters }) => (Number.isNaN(parameters) ? '–' : whole(parameters)),
    },
    {
      id: 'on',
      title: 'Units on',
      about: 'hidden units that are active on images of the mode',
      unit: '%',
      width: 68,
      number: true,
      write: ({ on }) => percent(on, 0),
    },
    { id: 'seconds', title: 'Time', about: 'seconds it took', unit: 's', width: 74, number: true, write: timeText },
  ];
  return columns.filter(({ id }) => other !== undefined || (id !== 'other' && id !== 'kept'));
}

function timeText({ seconds, remaining }: RunView): string {
  if (!Number.isNaN(seconds)) return seconds < 9.95 ? `${decimal(seconds)}\u202fs` : duration(seconds);
  return Number.isNaN(remaining) ? '–' : `${duration(remaining)} left`;
}

/** Columns in the order they stand: those that are kept at the left first. */
export function arranged(
  columns: readonly Column[],
  hidden: readonly string[],
  held: readonly string[],
): { readonly column: Column; readonly held: boolean; readonly left: number }[] {
  const shown = columns.filter(({ id }) => id === 'name' || !hidden.includes(id));
  const first = [...shown.filter(({ id }) => held.includes(id)), ...shown.filter(({ id }) => !held.includes(id))];
  let left = 0;
  return first.map((column) => {
    const isHeld = held.includes(column.id);
    const place = { column, held: isHeld, left };
    if (isHeld) left += column.width;
    return place;
  });
}
