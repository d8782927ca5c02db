/** The first-run tour: what it points at, and what it says there. Elements are found by `data-tour`. */
export interface TourStep {
  /** Of `data-tour`; where it is not there, the step stands alone. */
  readonly at: string;
  readonly title: string;
  readonly text: string;
}

export const tourSteps: readonly TourStep[] = [
  {
    at: 'form',
    title: 'One network, several modes',
    text: 'The foundation was trained once. A mode is a threshold and a gain for each unit; the weights stay. Switch between base and mode: every figure follows.',
  },
  {
    at: 'live',
    title: 'Turn a digit',
    text: 'Drag the handle, or focus it and use the arrows. All networks answer as it turns; a wrong answer is red.',
  },
  {
    at: 'units',
    title: 'What the mode did to each unit',
    text: 'Every dot is a unit: boosted and attenuated in blue and red, × for silenced, a ring for dead. Click one, and it is selected everywhere.',
  },
  {
    at: 'scatter',
    title: 'Brush a corner',
    text: 'Drag over high gain and raised threshold: all else fades, here and in the fields. Esc takes the brush away.',
  },
  {
    at: 'classes',
    title: 'Who fires on what',
    text: 'Classes against units, in the base and in the mode, and what changed between them.',
  },
  {
    at: 'inspector',
    title: 'Force a unit',
    text: 'Shut the selected unit, or open it, and see how many answers change. Everything that you force is violet and can be undone.',
  },
  {
    at: 'adapters',
    title: 'What it gains, what it forgets',
    text: 'Each way to adapt, on one row: the gain at the new angle, the loss at the old one. Few numbers, nothing forgotten, is the mode’s corner.',
  },
  {
    at: 'palette',
    title: 'Everything is in one list',
    text: 'Whatever can be done or gone to is found by typing. From here on it is yours: duplicate the session to keep what you change.',
  },
];
