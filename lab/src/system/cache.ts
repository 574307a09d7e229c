import { mkdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';

/**
 * A folder of the lab's per-user cache, made where it is missing: `$XDG_CACHE_HOME/kubenode/NAME`, or `~/.cache/kubenode/NAME`.
 * What is in it can be deleted at any time while no lab is up; it is then made again.
 */
export async function cacheFolder(...names: readonly string[]): Promise<string> {
  const folder = join(cacheRoot(), ...names);
  await mkdir(folder, { recursive: true });
  return folder;
}

/** The root of the lab's per-user cache; it may not exist yet. */
export function cacheRoot(): string {
  const xdg = process.env['XDG_CACHE_HOME'];
  return join(xdg ? xdg : join(homedir(), '.cache'), 'kubenode');
}
