/** The workspace over as many units as the address says, `?units=50000,50000`: what bench/brush.ts drags a brush in. */
import '@fontsource-variable/inter';
import '../../../styles/tokens.css';
import '../../../styles/base.css';
import { mount } from 'svelte';
import ModesScene from './ModesScene.svelte';
import { wide } from './scenes.ts';

const widths = (new URLSearchParams(location.search).get('units') ?? '50000,50000').split(',').map(Number);
mount(ModesScene, { target: document.getElementById('app')!, props: { make: () => wide(widths) } });
