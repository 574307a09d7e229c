import { fileDifference } from '../plan/changes.ts';
import type { GoalFile } from '../plan/goal.ts';
import type { FileState, HostFiles } from '../ports.ts';
import type { OriginalFile, Originals, OriginalsStore } from '../state/originals.ts';

export interface TakeAwayContext {
  readonly host: { readonly files: HostFiles };
  readonly originals: OriginalsStore;
}

/**
 * Puts a path back to what was there before KubeNode, or takes it away where nothing was.
 * @param expected what KubeNode wrote there; where something else stands now somebody changed it since, and it is left alone.
 * @returns why it was left; undefined: it is as it was.
 */
export async function takeAway(
  path: string,
  expected: GoalFile | undefined,
  known: Originals | undefined,
  { host, originals }: TakeAwayContext,
): Promise<string | undefined> {
  const state = await host.files.state(path);
  const original = known?.files.find((file) => file.path === path);
  if (isBack(original, state) || (state === undefined && original === undefined)) return undefined;
  if (expected !== undefined && original !== undefined && state !== undefined) {
    const why = fileDifference(expected, state);
    if (why !== undefined) return `${why} was changed by somebody else since KubeNode wrote it`;
  }
  if (original !== undefined) await originals.restore(original);
  else await host.files.remove(path);
  return undefined;
}

function isBack(original: OriginalFile | undefined, state: FileState | undefined): boolean {
  if (original === undefined) return false;
  if (original.kind === 'absent') return state === undefined;
  if (original.kind !== state?.kind) return false;
  return original.kind === 'symlink'
    ? state.target === original.target
    : state.digest === original.digest && state.mode === original.mode;
}

/** Takes away the folders that were not there before and have nothing in them now, the deepest first. */
export async function removeEmptyFolders(known: Originals | undefined, files: HostFiles): Promise<void> {
  for (const folder of (known?.folders ?? []).toSorted((a, b) => b.length - a.length)) {
    if ((await files.state(folder))?.kind === 'directory' && (await files.list(folder)).length === 0) {
      // One that is left empty harms nobody, so it holds nothing up.
      await files.remove(folder).catch(() => undefined);
    }
  }
}
