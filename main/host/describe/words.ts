/** What people call the fields of forms, and where in a form they look for them. */

const labels: Readonly<Record<string, string>> = {
  stage: 'Name',
  'data.source': 'Images',
  'data.digest': 'Digest of the images',
  angles: 'Angles',
  rows: 'Training images',
  epochs: 'Epochs',
  batch: 'Batch size',
  'optimiser.kind': 'Optimiser',
  'optimiser.learningRate': 'Learning rate',
  'optimiser.beta1': 'Decay β₁',
  'optimiser.beta2': 'Decay β₂',
  'optimiser.epsilon': 'ε',
  'optimiser.weightDecay': 'Weight decay',
  'optimiser.momentum': 'Momentum',
  'optimiser.nesterov': 'Nesterov momentum',
  seed: 'Seed',
  seeds: 'Seeds',
  checkpointSeconds: 'Checkpoint every',
  hidden: 'Hidden widths',
  adapter: 'Adapter',
  adapters: 'Adapters',
  parts: 'What to measure',
  'temperature.kind': 'Annealing',
  'temperature.start': 'Temperature T',
  'temperature.end': 'T at the end',
  'temperature.scale': 'T by layer',
  sparsity: 'Sparsity λ',
  'measure.every': 'Measure every',
  'measure.images': 'Test images to measure',
  'measure.angles': 'Angles to measure',
};

/** By the beginning of a path; what is nowhere here is under `More`. */
const sections: Readonly<Record<string, string>> = {
  'data.source': 'Foundation',
  hidden: 'Foundation',
  angles: 'Foundation',
  rows: 'Foundation',
  adapter: 'Gate',
  temperature: 'Gate',
  sparsity: 'Gate',
  epochs: 'Run',
  batch: 'Run',
  'optimiser.kind': 'Run',
  'optimiser.learningRate': 'Run',
  seed: 'Run',
  seeds: 'Run',
  adapters: 'Run',
  parts: 'Run',
};

/** `oldAngle` is `Old angle` where no other word is known. */
export function labelOf(path: string): string {
  const last = path.split('.').at(-1)!;
  const words = last.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
  return labels[path] ?? `${words[0].toUpperCase()}${words.slice(1)}`;
}

export function sectionOf(path: string): string {
  const beginning = Object.keys(sections).find((name) => path === name || path.startsWith(`${name}.`));
  return beginning === undefined ? 'More' : sections[beginning];
}
