import type { GoalFile } from '../plan/goal.ts';
import type { Applied, ComponentRecord, Operation, ProcessFacts } from '../plan/operation.ts';
import type { Host } from '../ports.ts';
import type { ExecuteContext, Step } from './context.ts';
import { isAgent } from '../selfupgrade/own.ts';
import { releaseWatchdog } from '../selfupgrade/steps.ts';
import { parseUnitFile, readUnitFile } from './look.ts';
import { probationOf } from './probation.ts';
import { stagingFolder } from './staging.ts';

/** The operation has reached its goal: what is there now is the last good revision, and what it no longer needs goes. */
export const commit: Step = async (operation, context) => {
  const { goal, kind } = operation;
  const { store, originals, host } = context;
  const before = store.record(goal.component);
  if (kind === 'Remove') {
    await originals.drop(goal.component);
    await host.files.remove(`${store.folder}/staged/${goal.component}`);
    await store.dropRecord(goal.component);
    return;
  }
  if (isAgent(goal)) await releaseWatchdog(context);
  const record = await committedRecord(operation, before, context);
  await store.saveRecord(record);
  await dropOldStaging(record, context);
};

async function committedRecord(
  operation: Operation,
  before: ComponentRecord | undefined,
  { host, clock }: ExecuteContext,
): Promise<ComponentRecord> {
  const { kind, harm, goal } = operation;
  const drift = before?.drift ?? { repaired: 0 };
  const repaired = kind === 'Repair' && harm !== undefined;
  const { failed, lastGood, owes, probation: tried, ...rest } = before ?? { component: goal.component };
  const keepsFailure = kind !== 'Install' && failed !== undefined;
  const applied = await describe(operation, before?.applied, host, clock.now());
  const unit = goal.unit && (await host.services.states([goal.unit.name])).get(goal.unit.name);
  const probation =
    kind === 'Repair' ? tried : probationOf(operation, before, unit?.restarts ?? 0, clock.now());
  return {
    ...rest,
    applied,
    ...(kind === 'Repair' && lastGood !== undefined ? { lastGood } : {}),
    ...(keepsFailure ? { failed } : {}),
    ...(probation === undefined ? {} : { probation }),
    ...(owes === undefined || operation.done.includes('service') ? {} : { owes }),
    stray: [],
    drift: repaired
      ? { repaired: drift.repaired + 1, last: { at: clock.now(), what: harm.slice(0, 200) } }
      : drift,
  };
}

/**
 * What is on the host now, as far as later checks need it. A repair leads to what was committed before, so that stays the measure: what
 * somebody does to the host meanwhile does not become right by it.
 */
export async function describe(
  operation: Operation,
  before: Applied | undefined,
  host: Host,
  now: number,
): Promise<Applied> {
  const { goal, deb, kind } = operation;
  const files = await withActualIds(operation.files ?? [], host);
  if (kind === 'Repair' && before !== undefined)
    return { ...before, files, ...(deb === undefined ? {} : { deb }) };
  const proven = goal.package !== undefined || goal.artifact !== undefined || goal.versionCheck === undefined;
  return {
    goal,
    files,
    ...(deb === undefined ? {} : { deb }),
    ...(goal.package === undefined ? {} : { packageFiles: await packagePrograms(goal.package.name, host) }),
    ...(goal.unit === undefined
      ? {}
      : {
          process: await processFacts(goal.unit.name, files, host),
          dropIns: await readDropIns(goal.unit.name, host),
        }),
    at: now,
    foundVersion: operation.foundVersion ?? '',
    proven,
  };
}

async function processFacts(unit: string, files: readonly GoalFile[], host: Host): Promise<ProcessFacts> {
  const pid = (await host.services.states([unit])).get(unit)?.mainPID ?? 0;
  const own = files.find(({ source }) => source === 'unit')?.content;
  const unitFile = own === undefined ? await readUnitFile(host.files, unit) : parseUnitFile(own);
  const executable = pid > 0 ? await host.executableDigest(pid) : undefined;
  return { oneshot: unitFile?.oneshot ?? false, ...(executable === undefined ? {} : { executable }) };
}

async function withActualIds(files: readonly GoalFile[], host: Host): Promise<readonly GoalFile[]> {
  const actual: GoalFile[] = [];
  for (const file of files) {
    const state = file.ids === undefined ? await host.files.state(file.path) : undefined;
    actual.push(state === undefined ? file : { ...file, ids: { uid: state.uid, gid: state.gid } });
  }
  return actual;
}

/** At most this many files of a package are looked at with every check: its programs. All of it is verified by dpkg now and then. */
const mostPackageFiles = 100;

async function packagePrograms(name: string, host: Host): Promise<Record<string, string>> {
  const digests: Record<string, string> = {};
  const paths = (await host.packages?.files(name)) ?? [];
  for (const path of paths
    .filter((path) => /^(\/usr)?(\/local)?\/(s?bin|libexec)\/|\/systemd\/system\//.test(path))
    .slice(0, mostPackageFiles)) {
    const state = await host.files.state(path);
    if (state?.kind === 'file' && state.digest !== undefined) digests[path] = state.digest;
  }
  return digests;
}

/** Drop-ins that somebody put beside the unit, with their digests. */
export async function readDropIns(unit: string, host: Pick<Host, 'files'>): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const folder of [`/etc/systemd/system/${unit}.d`, `/run/systemd/system/${unit}.d`]) {
    if ((await host.files.state(folder))?.kind !== 'directory') continue;
    for (const name of await host.files.list(folder)) {
      const state = await host.files.state(`${folder}/${name}`);
      if (name.endsWith('.conf') && state !== undefined)
        found[`${folder}/${name}`] = state.digest ?? state.kind;
    }
  }
  return found;
}

/** Of what was staged for a component only what it runs and what was good last stays. */
export async function dropOldStaging(
  record: ComponentRecord,
  { host, store }: Pick<ExecuteContext, 'host' | 'store'>,
): Promise<void> {
  const folder = `${store.folder}/staged/${record.component}`;
  if ((await host.files.state(folder)) === undefined) return;
  const needed = new Set(
    [record.applied, record.lastGood, record.probation?.before].flatMap((applied) =>
      applied ? [stagingFolder(store.folder, applied.goal)] : [],
    ),
  );
  for (const name of await host.files.list(folder)) {
    if (!needed.has(`${folder}/${name}`)) await host.files.remove(`${folder}/${name}`);
  }
}
