import type { NotReverted } from '@kubenode/api';
import { removeEmptyFolders, takeAway } from '../execute/take-away.ts';
import type { Logger } from '../log.ts';
import { fileDifference, isUnitFile } from '../plan/changes.ts';
import type { GoalFile } from '../plan/goal.ts';
import type { ComponentRecord, Operation } from '../plan/operation.ts';
import type { Host } from '../ports.ts';
import { type Originals, OriginalsStore } from '../state/originals.ts';
import { StateStore } from '../state/store.ts';

const stopTimeoutMs = 90_000;
const startTimeoutMs = 90_000;

/**
 * Puts back what was on the host before KubeNode, last brought first. What was adopted was never changed, has nothing to be put back,
 * and runs on. What somebody changed since is left alone. The agent must not run meanwhile. Can be repeated.
 * @returns what could not be put back, and why.
 */
export async function revertHost(
  host: Host,
  stateFolder: string,
  log: Logger,
): Promise<readonly NotReverted[]> {
  const store = new StateStore(host.files, stateFolder, log);
  const originals = new OriginalsStore(host, stateFolder, log);
  await store.load();
  const left: NotReverted[] = [];
  const names = removalOrder(await originals.components(), store.records());
  for (const component of names) {
    const known = await originals.read(component);
    if (known === undefined) continue;
    const problems = await revertComponent(known, { host, store, originals });
    left.push(...problems);
    log.info('reverted', { component, left: problems.length });
    if (problems.length === 0) await originals.drop(component);
  }
  for (const component of store.components()) {
    await store.dropOperation(component);
    await store.dropRecord(component);
  }
  await host.files.remove(`${stateFolder}/desired`);
  await host.files.remove(`${stateFolder}/staged`);
  return left;
}

interface RevertContext {
  readonly host: Host;
  readonly store: StateStore;
  readonly originals: OriginalsStore;
}

async function revertComponent(known: Originals, context: RevertContext): Promise<readonly NotReverted[]> {
  const { host, store } = context;
  const record = store.record(known.component);
  const operation = store.operation(known.component);
  const left: NotReverted[] = [];
  const attempt = async (target: string, work: () => Promise<string | undefined>): Promise<void> => {
    try {
      const reason = await work();
      if (reason !== undefined) left.push({ target, reason });
    } catch (error) {
      left.push({ target, reason: error instanceof Error ? error.message.slice(0, 512) : String(error) });
    }
  };
  const unit = known.unit;
  const changed = await changesAnything(known, host);
  if (unit && changed && !unit.active) await attempt(unit.name, () => stopUnit(unit.name, host));
  if (unit && !unit.enabled) await attempt(unit.name, () => disableUnit(unit.name, host));
  const packaged = known.package;
  const expected = expectedFiles(record, operation);
  if (packaged) {
    const ours = await unchanged(known, expected, host);
    await attempt(packaged.name, () => revertPackage(packaged, ours, host));
  }
  for (const { path } of known.files)
    await attempt(path, () => takeAway(path, expected.get(path), known, context));
  await removeEmptyFolders(known, host.files);
  if (unit || (changed && known.files.some(({ path }) => isUnitFile(path))))
    await host.services.daemonReload();
  if (unit?.active && changed) await attempt(unit.name, () => startAgain(unit.name, host));
  return left;
}

/** What KubeNode wrote: what was committed, and over it what an operation that did not end wrote. */
function expectedFiles(
  record: ComponentRecord | undefined,
  operation: Operation | undefined,
): Map<string, GoalFile> {
  const expected = new Map((record?.applied?.files ?? []).map((file) => [file.path, file]));
  for (const path of record?.stray ?? []) expected.delete(path);
  for (const { path } of operation?.files ?? []) expected.delete(path);
  return expected;
}

/** Paths that are as KubeNode wrote them. */
async function unchanged(
  known: Originals,
  expected: ReadonlyMap<string, GoalFile>,
  { files }: Host,
): Promise<readonly string[]> {
  const paths: string[] = [];
  for (const { path } of known.files) {
    const file = expected.get(path);
    if (file === undefined || fileDifference(file, await files.state(path)) === undefined) paths.push(path);
  }
  return paths;
}

async function changesAnything(known: Originals, host: Host): Promise<boolean> {
  if (known.package !== undefined) return true;
  for (const original of known.files) {
    const state = await host.files.state(original.path);
    if ((state?.kind ?? 'absent') !== original.kind || state?.digest !== original.digest) return true;
  }
  const state = known.unit && (await host.services.states([known.unit.name])).get(known.unit.name);
  return known.unit !== undefined && (state?.activeState === 'active') !== known.unit.active;
}

async function stopUnit(name: string, { services }: Host): Promise<undefined> {
  const state = (await services.states([name])).get(name);
  if (state !== undefined && state.loadState !== 'not-found' && state.activeState !== 'inactive')
    await services.stop(name, stopTimeoutMs);
}
async function disableUnit(name: string, { services }: Host): Promise<undefined> {
  if ((await services.states([name])).get(name)?.enabled === 'enabled') await services.disable(name);
}
async function startAgain(name: string, { services }: Host): Promise<string | undefined> {
  const state = (await services.states([name])).get(name);
  if (state === undefined || state.loadState === 'not-found')
    return `unit ${name} ran before and is not there any more`;
  if (state.activeState === 'active') await services.restart(name, startTimeoutMs);
  else await services.start(name, startTimeoutMs);
  return undefined;
}

async function revertPackage(
  { name, version, held }: NonNullable<Originals['package']>,
  ours: readonly string[],
  { packages }: Host,
): Promise<string | undefined> {
  const installed = await packages?.installed(name);
  if (packages === undefined) return 'there is no dpkg on this host';
  if (version === undefined) return packages.purge(name, ours);
  if (installed?.version !== version) {
    return `it was ${version} and is ${installed?.version ?? 'not installed'}: install the old one with apt-get install ${name}=${version}`;
  }
  await packages.hold(name, held);
  return undefined;
}

/** What depends on others first, then the others; what is not known any more first of all. */
function removalOrder(
  names: readonly string[],
  records: ReadonlyMap<string, ComponentRecord>,
): readonly string[] {
  const order: string[] = [];
  const visit = (name: string, path: readonly string[]): void => {
    if (order.includes(name) || path.includes(name)) return;
    for (const { component } of records.get(name)?.applied?.goal.dependsOn ?? [])
      visit(component, [...path, name]);
    if (names.includes(name)) order.push(name);
  };
  for (const name of names) visit(name, []);
  return order.toReversed();
}
