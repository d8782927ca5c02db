/** Going to something of the session from anywhere: palette, Train, notes. What a workspace keeps of it is named here once. */
import type { App } from './app.svelte.ts';

/** Shows a model in Modes: a mode on its foundation, or a foundation by itself. @returns whether there is such a model */
export function showModel(app: App, digest: string): boolean {
  const model = app.session?.models.find((one) => one.digest === digest);
  if (!model) return false;
  void app.setView({ name: 'modes.foundation', value: model.base ?? model.digest });
  if (model.base !== undefined) void app.setView({ name: 'modes.mode', value: model.digest });
  app.go('modes');
  return true;
}

/** Goes to a run in Train: it stays on top of the table there. */
export function showRun(app: App, key: string): void {
  const table = app.view<{ readonly pinned?: readonly string[] }>('train.table', {});
  const pinned = [key, ...(table.pinned ?? []).filter((one) => one !== key)];
  void app.setView({ name: 'train.table', value: { ...table, pinned } });
  app.go('train');
}
