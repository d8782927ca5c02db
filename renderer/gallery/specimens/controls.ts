/** The shared controls in their states. */
import Controls from './Controls.svelte';
import { specimen, type Specimen } from '../../testing/picture.ts';

export const specimens: readonly Specimen[] = [specimen('controls', 'Controls', Controls, {}, { width: 720, height: 620 })];
