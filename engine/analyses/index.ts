/** Analyses; ids are the file format. */
import { accuracy } from './accuracy.ts';
import type { AnyAnalysis } from './analysis.ts';
import { angleCurve } from './angleCurve.ts';
import { categories } from './categories.ts';
import { contributions } from './contributions.ts';
import { expressivity } from './expressivity.ts';
import { firing } from './firing.ts';
import { forced } from './forced.ts';
import { frontier } from './frontier.ts';
import { interchange } from './interchange.ts';
import { interpolation } from './interpolation.ts';
import { overlap } from './overlap.ts';
import { paired } from './paired.ts';
import { receptiveFields } from './receptiveFields.ts';
import { retention } from './retention.ts';
import { softHardGap } from './softHardGap.ts';
import { topImages } from './topImages.ts';

export const analyses: readonly AnyAnalysis[] = [
  accuracy,
  firing,
  categories,
  overlap,
  softHardGap,
  frontier,
  angleCurve,
  retention,
  paired,
  expressivity,
  interpolation,
  interchange,
  contributions,
  receptiveFields,
  topImages,
  forced,
];
