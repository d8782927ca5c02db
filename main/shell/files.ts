/** Session files that are opened from outside: by the system, by a second start of the program, on the command line. */
import { app } from 'electron';
import { sessionsIn } from './sessionArguments.ts';

/** @param open called with the path of each, also of those that came before it was set up @param another called when the program is started again */
export function openFromOutside(open: (path: string) => void, another: () => void): void {
  for (const path of sessionsIn(process.argv, process.cwd())) open(path);
  app.on('second-instance', (_event, words, folder) => {
    another();
    for (const path of sessionsIn(words, folder)) open(path);
  });
  // macOS says it this way, perhaps before it is ready.
  app.on('open-file', (event, path) => {
    event.preventDefault();
    another();
    open(path);
  });
}
