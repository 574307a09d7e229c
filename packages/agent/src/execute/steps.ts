import { compare as compareGoal, fileDifference } from '../plan/changes.ts';
import type { GoalFile, HookName } from '../plan/goal.ts';
import {
  isEnabledWithUnits,
  type Operation,
  type StepName,
  strongerAction,
  touches,
} from '../plan/operation.ts';
import { commit } from './commit.ts';
import type { ExecuteContext, Step } from './context.ts';
import { isAgent } from '../selfupgrade/own.ts';
import { armWatchdog, awaitReport, restartSelf } from '../selfupgrade/steps.ts';
import { checkVersion, waitHealthy } from './health.ts';
import { asksOf, awaitLeave, rebootHost } from './leave-steps.ts';
import { look } from './look.ts';
import { readOwners, withIds } from './owners.ts';
import { removeEmptyFolders, takeAway } from './take-away.ts';
import { stage, stagingFolder } from './staging.ts';
import { endOf } from '../words.ts';

/** A unit gets at least this long to start or stop, however little of the deadline is left. */
const shortestUnitWaitMs = 10_000;
const stopTimeoutMs = 90_000;

const compare: Step = async (operation, context) => {
  const { host, store, clock } = context;
  const { goal } = operation;
  const record = store.record(goal.component);
  const files = withIds(operation.files ?? [], await readOwners(host.files));
  const view = await look(host, goal, files);
  const found = compareGoal(goal, files, view, record?.applied, record?.stray ?? []);
  const running = view.unit?.activeState === 'active';
  const wanted = operation.kind === 'Repair' && running ? 'None' : found.service;
  // What an attempt that failed has started may have read anything: it is started anew.
  const failedBefore = operation.kind === 'Install' && (record?.stray ?? []).length > 0;
  const owed = strongerAction(operation.owed ?? 'None', failedBefore && goal.unit ? 'Restart' : 'None');
  const service = running ? strongerAction(wanted, owed) : wanted;
  const retire = found.retire ?? (operation.retires === goal.unit?.name ? undefined : operation.retires);
  const changes = {
    ...found,
    service,
    serviceReason: found.serviceReason || operation.reason,
    ...(retire === undefined ? {} : { retire }),
  };
  const asks = asksOf(operation, goal, changes, {
    running,
    installed: record?.applied !== undefined || view.package !== undefined,
    unfinished: failedBefore || operation.mustReboot === true,
  });
  return {
    files,
    changes,
    ...(asks === undefined ? {} : { asks }),
    adopting: record?.applied === undefined && (record?.stray ?? []).length === 0 && !touches(changes),
    deadlineAt: clock.now() + goal.deadlineMs,
  };
};

const originals: Step = async ({ goal, changes }, context) => {
  if (changes === undefined) return;
  await context.originals.keep(goal.component, {
    paths: [...changes.writes.map(({ path }) => path), ...changes.removals],
    ...(goal.unit ? { unit: goal.unit.name } : {}),
    ...(goal.package && changes.package !== undefined ? { package: goal.package.name } : {}),
  });
};

/** Stops and disables a unit that is no longer wanted: of the revision before, or of a component being removed. */
const retire: Step = async (operation, context, signal) => {
  const { services } = context.host;
  const removing = operation.kind === 'Remove';
  const unit = removing ? operation.goal.unit?.name : operation.changes?.retire;
  if (unit === undefined) return;
  const state = (await services.states([unit])).get(unit);
  if (state === undefined || state.loadState === 'not-found') return;
  if (removing && state.activeState === 'active') await runHook('preStop', operation, context, signal);
  if (state.activeState !== 'inactive') await services.stop(unit, stopTimeoutMs);
  if (state.enabled === 'enabled') await services.disable(unit);
};

const installPackage: Step = async ({ goal, kind, deb }, { host, store }, signal) => {
  const { packages } = host;
  if (goal.package === undefined || packages === undefined) return {};
  if (kind === 'Remove') {
    if ((await packages.installed(goal.package.name)) === undefined) return {};
    await packages.hold(goal.package.name, false);
    await packages.remove(goal.package.name);
    return {};
  }
  const file = deb ?? (await packages.fetch(goal.package, stagingFolder(store.folder, goal), signal));
  await packages.install({ name: goal.package.name, version: goal.package.version, deb: file });
  return { deb: file };
};

const writeFiles: Step = async (operation, { host }, signal) => {
  const files: GoalFile[] = [...(operation.files ?? [])];
  for (const { path } of operation.changes?.writes ?? []) {
    signal.throwIfAborted();
    const index = files.findIndex((file) => file.path === path);
    const file = files[index];
    if (file === undefined) continue;
    const state = await host.files.state(path);
    const why = fileDifference(file, state);
    if (why === undefined) continue;
    if (state?.kind === 'directory') {
      throw new Error(
        `${path} is a directory on this host where ${operation.goal.revision} brings a file: move it away, or correct the revision`,
      );
    }
    const options = { mode: file.mode, ...(file.owner === undefined ? {} : { owner: file.owner }) };
    if (file.kind === 'symlink') await host.files.symlink(file.target ?? '', path);
    else if (why === 'mode' || why === 'owner') await host.files.setMode(path, file.mode, file.owner);
    else if (file.content !== undefined) await host.files.write(path, file.content, options);
    else await host.files.install(file.staged ?? '', path, options);
  }
  return { files };
};

/** Takes away what only the revision before (or an attempt that did not end) brought; what was there before comes back. */
const obsolete: Step = async (operation, context) => {
  const { goal, kind, changes } = operation;
  const record = context.store.record(goal.component);
  const applied = record?.applied;
  const paths =
    kind === 'Remove'
      ? [...(applied?.files.map(({ path }) => path) ?? []), ...(record?.stray ?? [])]
      : (changes?.removals ?? []);
  const known = await context.originals.read(goal.component);
  // What an operation that did not end wrote over it is ours too, and nobody else's change.
  const stray = new Set(record?.stray);
  const certain = applied?.files.filter(({ path }) => !stray.has(path));
  const expected = new Map(certain?.map((file) => [file.path, file]));
  for (const path of paths) await takeAway(path, expected.get(path), known, context);
  await removeEmptyFolders(known, context.host.files);
};

const units: Step = async (operation, { host }) => {
  const { goal, changes, kind } = operation;
  const { services } = host;
  if (changes?.unmask && goal.unit) await services.unmask(goal.unit.name);
  if (goal.unit && isEnabledWithUnits(operation)) await services.enable(goal.unit.name);
  const isRelinked = changes?.unmask === true || isEnabledWithUnits(operation);
  await services.daemonReload(isRelinked ? goal.unit?.name : undefined);
  if (goal.unit === undefined || kind === 'Remove') return;
  const state = (await services.states([goal.unit.name])).get(goal.unit.name);
  if (state?.loadState === 'bad-setting' || state?.loadState === 'error') {
    throw new Error(
      `unit ${goal.unit.name} of ${goal.revision} does not load: ${state.loadError ?? state.loadState}. Correct spec.unit.content`,
    );
  }
};

const enable: Step = async ({ goal }, { host }) => {
  if (goal.unit === undefined) return;
  await host.services.enable(goal.unit.name);
  await host.services.daemonReload(goal.unit.name);
};

const service: Step = async (operation, context, signal) => {
  const { goal, changes, deadlineAt } = operation;
  const { host, clock } = context;
  if (goal.unit === undefined || changes === undefined) return;
  const { services } = host;
  const unit = goal.unit.name;
  const isUp = async (): Promise<boolean> =>
    (await services.states([unit])).get(unit)?.activeState === 'active';
  const timeoutMs = Math.max((deadlineAt ?? 0) - clock.now(), shortestUnitWaitMs);
  // The boot has started it anew.
  if (operation.done.includes('reboot'))
    return await ((await isUp()) ? undefined : services.start(unit, timeoutMs));
  if (changes.service === 'Restart' && isAgent(goal))
    return await restartSelf(operation, context, timeoutMs, signal);
  if (changes.service === 'Restart') await services.restart(unit, timeoutMs);
  if (changes.service === 'Reload') await services.reload(unit, timeoutMs);
  if (changes.service !== 'Start') return;
  // Something else (a socket, the package itself) may have started it meanwhile, before its files were right.
  const already = await isUp();
  const brought = changes.writes.length > 0 || changes.package !== undefined;
  if (already && brought) await services.restart(unit, timeoutMs);
  else await services.start(unit, timeoutMs);
};

function hook(name: HookName): Step {
  return (operation, context, signal) => runHook(name, operation, context, signal);
}

async function runHook(
  name: HookName,
  { goal }: Operation,
  { host }: ExecuteContext,
  signal: AbortSignal,
): Promise<void> {
  const wanted = goal.hooks[name];
  if (wanted === undefined) return;
  signal.throwIfAborted();
  const env = {
    KUBENODE_COMPONENT: goal.component,
    KUBENODE_REVISION: goal.revision,
    KUBENODE_VERSION: goal.version,
  };
  const { exitCode, timedOut, output } = await host.services.run({ ...wanted, env, isolation: 'hook' });
  if (timedOut)
    throw new Error(`hook ${name} did not end within ${wanted.timeoutMs / 1000} s: ${endOf(output)}`);
  if (exitCode !== 0) throw new Error(`hook ${name} ended with exit status ${exitCode}: ${endOf(output)}`);
}

/** Every step by its name. Each may be done twice with the same result as once. */
export const steps: Readonly<Record<StepName, Step>> = {
  stage,
  compare,
  preInstall: hook('preInstall'),
  leave: awaitLeave,
  preRemove: hook('preRemove'),
  originals,
  watchdog: armWatchdog,
  retire,
  package: installPackage,
  files: writeFiles,
  obsolete,
  units,
  postInstall: hook('postInstall'),
  enable,
  preStop: hook('preStop'),
  reboot: rebootHost,
  service,
  postStart: hook('postStart'),
  version: checkVersion,
  probes: waitHealthy,
  report: awaitReport,
  commit,
};

/** Whether a failure at this step leaves the host as it was. */
export function isBeforeTouch(step: StepName): boolean {
  return ['stage', 'compare', 'preInstall', 'leave', 'originals', 'watchdog'].includes(step);
}
