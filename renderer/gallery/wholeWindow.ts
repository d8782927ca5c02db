/** The whole window with a host that answers from fixtures, in the state that an address asks for. */
import { mount, tick } from 'svelte';
import Window from '../frame/Window.svelte';
import type { Workspace } from '../state/app.svelte.ts';
import { clock } from '../state/clock.svelte.ts';
import { job, NOW, sessions } from '../testing/fakeData.ts';
import { fakeApp } from '../testing/fakeHost.ts';

export async function showWindow(target: HTMLElement, asked: URLSearchParams): Promise<void> {
  clock.stop(new Date(NOW));
  const { app, link } = fakeApp({
    settings: { theme: asked.get('theme') === 'dark' ? 'dark' : 'light', toured: asked.has('toured') },
    ...(asked.has('empty') && { sessions: [] }),
    ...(asked.has('jobs') && {
      jobs: [
        job(1),
        job(2, { state: 'waiting', title: 'Adapters, seed 4' }),
        job(3, {
          state: 'failed',
          title: 'Path patching',
          failure: { kind: 'bug', message: 'NaN at step 212', stack: 'Error: NaN at step 212' },
        }),
      ],
    }),
  });
  mount(Window, { target, props: { app } });
  const workspace = asked.get('workspace') as Workspace | null;
  while (!app.about) await new Promise((resolve) => setTimeout(resolve, 10));
  if (workspace === 'train' || workspace === 'modes') await app.open(sessions[0].path);
  if (workspace) app.go(workspace);
  await tick();
  const action = asked.get('run');
  if (action) app.actions.run(action);
  if (asked.has('lost')) link.lose('exit code 1: Error: no space left on device', false);
}
