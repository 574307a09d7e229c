import { createHash } from 'node:crypto';
import type { Goal, GoalFile } from '../plan/goal.ts';
import { fileDifference } from '../plan/changes.ts';
import type { Operation } from '../plan/operation.ts';
import type { StagedFile } from '../ports.ts';
import { ArtifactError } from '../host/errors.ts';
import type { ExecuteContext, Step } from './context.ts';

/** A host that was cut off tries its download again after so long, milliseconds; the tries themselves take about as long. */
const cutOffRetryMs = 10_000;

/** Folder of a goal's verified artifact; one per artifact, so that two revisions with the same share it. */
export function stagingFolder(stateFolder: string, goal: Goal): string {
  const what = JSON.stringify([goal.artifact, goal.package]);
  return `${stateFolder}/staged/${goal.component}/${createHash('sha256').update(what).digest('hex').slice(0, 16)}`;
}

/** Downloads, verifies and unpacks beside what is in use. Touches nothing that is in use. */
export const stage: Step = async (operation, context, signal) => {
  const { goal } = operation;
  if (goal.package) return { files: goal.files, ...(await stagePackage(operation, context, signal)) };
  if (!goal.artifact) return { files: operation.files ?? goal.files };
  const kept = operation.files && (await stillStaged(operation.kind === 'Repair', operation.files, context));
  if (kept) return { files: operation.files ?? [] };
  return { files: merge(await stageArtifact(goal, context, signal), goal.files) };
};

async function stageArtifact(
  goal: Goal,
  context: ExecuteContext,
  signal: AbortSignal,
): Promise<readonly StagedFile[]> {
  const { host, store } = context;
  const { artifact } = goal;
  if (artifact === undefined) return [];
  const folder = stagingFolder(store.folder, goal);
  if (artifact.kind === 'file') {
    const there = await host.files.state(artifact.path);
    if (there?.kind === 'file' && there.digest === artifact.digest) {
      const staged = `${folder}/adopted`;
      await host.files.install(artifact.path, staged, { mode: 0o600 });
      return [{ path: artifact.path, staged, mode: artifact.mode, digest: artifact.digest }];
    }
  }
  return await fetched(() => host.fetcher.stage(artifact, folder, signal), context, signal);
}

async function stagePackage(
  { goal, deb }: Operation,
  context: ExecuteContext,
  signal: AbortSignal,
): Promise<{ deb?: string }> {
  const { host, store } = context;
  const { packages } = host;
  if (packages === undefined || goal.package === undefined) {
    throw new Error(
      `MachineComponent ${goal.revision} brings a Debian package, and this host has no dpkg: give it an artifact of another kind`,
    );
  }
  if (deb !== undefined && (await host.files.state(deb)) !== undefined) return { deb };
  const installed = await packages.installed(goal.package.name);
  if (installed?.version === goal.package.version && installed.complete) return {};
  await keepWayBack(goal.component, context, signal);
  const wanted = goal.package;
  return {
    deb: await fetched(
      () => packages.fetch(wanted, stagingFolder(store.folder, goal), signal),
      context,
      signal,
    ),
  };
}

/** Where a host reaches nothing, that is no fault of the revision: it is not given up, and what came so far is gone on from. */
async function fetched<T>(
  fetch: () => Promise<T>,
  { downloading, telling, clock, log }: ExecuteContext,
  signal: AbortSignal,
): Promise<T> {
  for (let isTold = false; ; isTold = true) {
    try {
      return await downloading(fetch);
    } catch (error) {
      const isUnreachable = error instanceof ArtifactError && error.reason === 'Unreachable';
      if (!isUnreachable || (await telling.isCutOff?.(signal)) !== true) throw error;
      if (!isTold)
        log.warn('the host reaches neither what it downloads nor the API server; it tries again', {
          address: error.address,
          retryMs: cutOffRetryMs,
        });
      await clock.sleep(cutOffRetryMs, signal);
    }
  }
}

/** The .deb of a package that was adopted lies nowhere yet: it is fetched while the old one still runs, so that there is a way back. */
async function keepWayBack(
  component: string,
  { host, store, log }: ExecuteContext,
  signal: AbortSignal,
): Promise<void> {
  const record = store.record(component);
  const applied = record?.applied;
  if (record === undefined || applied?.goal.package === undefined || applied.deb !== undefined) return;
  try {
    const deb = await host.packages?.fetch(
      applied.goal.package,
      stagingFolder(store.folder, applied.goal),
      signal,
    );
    if (deb !== undefined) await store.saveRecord({ ...record, applied: { ...applied, deb } });
  } catch (error) {
    if (signal.aborted) throw error;
    log.warn('the package installed now could not be fetched; going back will need its source', {
      component,
      error: String(error),
    });
  }
}

/** Whether every verified copy that may be needed still lies there unharmed. */
async function stillStaged(
  onlyHarmed: boolean,
  files: readonly GoalFile[],
  { host }: ExecuteContext,
): Promise<boolean> {
  for (const file of files) {
    if (file.staged === undefined) continue;
    if (onlyHarmed && fileDifference(file, await host.files.state(file.path)) === undefined) continue;
    if ((await host.files.state(file.staged))?.digest !== file.digest) return false;
  }
  return true;
}

/** The artifact's files, with the revision's own in place of those at the same path. */
function merge(staged: readonly StagedFile[], own: readonly GoalFile[]): readonly GoalFile[] {
  const ownPaths = new Set(own.map(({ path }) => path));
  const brought = staged
    .filter(({ path }) => !ownPaths.has(path))
    .map(
      ({ path, staged, target, mode, digest }): GoalFile => ({
        path,
        source: 'artifact',
        mode,
        onChange: 'Restart',
        ...(target === undefined
          ? {
              kind: 'file',
              ...(digest === undefined ? {} : { digest }),
              ...(staged === undefined ? {} : { staged }),
            }
          : { kind: 'symlink', target }),
      }),
    );
  return [...brought, ...own];
}
