/** `npm start`: sets up, then runs one seed of the Dopamine protocol in the terminal. What follows `--` is passed on to it. */
import { gatescope } from './launch.mjs';

await gatescope(['run', 'dopamine', '--seeds', '0', ...process.argv.slice(2)]);
