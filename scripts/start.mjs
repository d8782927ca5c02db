/**
 * `npm start`: sets up, builds, and opens the window; where there is no screen, serves the same page and prints its address. What follows `--`
 * goes to the program: a session file to open, or flags of `gatescope serve`.
 */
import { join } from 'node:path';
import { buildIfNeeded } from './build.mjs';
import { electronRuntime } from './electronRuntime.mjs';
import { runForwarding } from './launch.mjs';
import { electronPackages } from './playwright.mjs';
import { guarded, missingDebianPackages, root, setup } from './setup.mjs';

await guarded(async () => {
  const words = process.argv.slice(2);
  const screen = process.platform !== 'linux' || Boolean(process.env.DISPLAY || process.env.WAYLAND_DISPLAY);
  const tools = setup(screen ? { debian: electronPackages } : {});
  buildIfNeeded(tools);
  const program = screen ? window(tools) : undefined;
  if (program) return runForwarding(program[0], [...program.slice(1), ...words], { ...tools.environment, HOST_NODE: tools.node });
  console.log(`${screen ? 'The window cannot be opened here' : 'There is no screen here'}: open this address in a browser.`);
  return runForwarding(tools.node, [join(root, 'main/cli/gatescope.ts'), 'serve', '--port', '0', ...words], tools.environment);
});

/** The words that open the window; nothing where Electron cannot be had or run, which is then said. @param {ReturnType<typeof setup>} tools */
function window({ node }) {
  const missing = missingDebianPackages(Object.keys(electronPackages));
  if (missing.length > 0) return void console.log(`Electron needs ${missing.join(' ')}: apt-get install ${missing.join(' ')}`);
  try {
    const { executablePath, version, source } = electronRuntime({ node, log: console.log });
    if (source === 'fallback')
      console.log(`Electron ${version} stands in for the one that could not be downloaded: for trying things out, not for daily work.`);
    // Chromium refuses to run with its sandbox as root.
    return [executablePath, ...(process.getuid?.() === 0 && process.platform === 'linux' ? ['--no-sandbox'] : []), root];
  } catch (error) {
    console.log(error instanceof Error ? error.message : String(error));
    return undefined;
  }
}
