/** Runs the matrix on real hosts. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type LabHost, startRegistry } from '@kubenode/lab';
import { MachineComponent } from '@kubenode/machine';
import type { Applied } from '@kubenode/runtime';
import type { MachineComponent as MachineComponentObject } from '@kubenode/api';
import { type AgentExecutable, buildAgent } from '../../../packages/agent/build/sea.ts';
import { type Fleet, startFleet } from '../fleet.ts';
import { type Act, actsOf, wayBack } from './acts.ts';
import { type Cell, type CellResult, cellsOf, nameOf } from './cells.ts';
import { type ArtifactKind, configPath, revisionName, revisionSpec, versions } from './components.ts';
import { faultFolder } from './faults.ts';
import type { Look } from './look.ts';
import { type Disturbance, Play } from './play.ts';

export interface MatrixOptions {
  readonly artifacts: readonly ArtifactKind[];
  readonly disturbances: readonly Disturbance[];
  readonly hosts: number;
  /** Which of the cells are run; default all. */
  readonly choose?: (cells: readonly Cell[]) => readonly Cell[];
  /** Ends the run early: what is under way is ended, the rest is left. */
  readonly signal?: AbortSignal;
  readonly progress: (line: string) => void;
}
export interface MatrixRun {
  readonly results: readonly CellResult[];
  /** Every cell that there is, also those not chosen. */
  readonly cells: readonly Cell[];
  /** Why cells were not even found: an act did not end undisturbed. */
  readonly broken: readonly string[];
}

const agentEntry = fileURLToPath(new URL('./agent-with-faults.ts', import.meta.url));

const buildTestAgent = (version?: string): Promise<AgentExecutable> =>
  buildAgent({ entry: agentEntry, ...(version === undefined ? {} : { version }) });

/** One component on one host at a time, disturbed in one way. */
interface Job {
  readonly artifact: ArtifactKind;
  readonly disturbance: Disturbance;
}

/** Runs all cells, on several hosts side by side. */
export async function runMatrix(options: MatrixOptions): Promise<MatrixRun> {
  const { artifacts, disturbances, progress } = options;
  const faults = await mkdtemp(join(tmpdir(), 'kubenode-faults-'));
  const binds = Array.from({ length: options.hosts }, (_, i) => join(faults, `h${i + 1}`));
  for (const bind of binds) await mkdir(bind);
  const fleet = await startFleet({
    plane: 'embedded',
    hosts: binds.map((source) => ({ ownDisk: true, binds: [{ source, target: faultFolder }] })),
    components: [],
    agentEntry,
  }).catch(async (error: unknown) => {
    await rm(faults, { recursive: true });
    throw error;
  });
  const { client } = fleet;
  try {
    const uids = await serveRevisions(fleet, artifacts);
    await importHosts(fleet, artifacts);
    const results: CellResult[] = [];
    const cells: Cell[] = [];
    const broken: string[] = [];
    // What takes longest first.
    const jobs = disturbances
      .toSorted((a, b) => (a < b ? 1 : -1))
      .flatMap((disturbance) => artifacts.map((artifact): Job => ({ artifact, disturbance })));
    const work = async (host: LabHost): Promise<void> => {
      for (let job = jobs.shift(); job !== undefined && !options.signal?.aborted; job = jobs.shift()) {
        const play = new Play(host, job.artifact, { client, uids, faults: join(faults, host.name) });
        const told = (result: CellResult): void => {
          results.push(result);
          if (result.failure !== undefined) progress(`FAILED ${nameOf(result)}:\n${result.failure}`);
          if (results.length % 20 === 0) progress(`${results.length} cells`);
        };
        await runJob(play, job, options, cells, told).catch((error: unknown) => {
          broken.push(`${job.disturbance} of ${job.artifact}: ${messageOf(error)}`);
        });
        progress(`${host.name}: ${job.disturbance} of ${job.artifact} is done`);
      }
    };
    await Promise.all(fleet.lab.hosts.map(work));
    return { results, cells, broken };
  } finally {
    await fleet.close();
    await rm(faults, { recursive: true });
  }
}

async function runJob(
  play: Play,
  { artifact, disturbance }: Job,
  { choose = (cells) => cells, signal }: MatrixOptions,
  all: Cell[],
  told: (result: CellResult) => void,
): Promise<void> {
  const acts = actsOf(artifact);
  // The first time leaves what stays for good on a host, such as a folder of dpkg's.
  for (const act of acts) await play.calm(act);
  const ends = new Map<Act, Look>();
  const waiting = new Map<Act, Cell[]>();
  for (const act of acts) {
    const { end, points } = await play.calm(act);
    ends.set(act, end);
    const cells = cellsOf(act, artifact, points, [disturbance]);
    all.push(...cells);
    waiting.set(act, [...choose(cells)]);
  }
  while ([...waiting.values()].some((cells) => cells.length > 0)) {
    for (const act of acts) {
      if (signal?.aborted) return;
      const expected = ends.get(act);
      if (expected === undefined) continue;
      const cell = waiting.get(act)?.shift();
      try {
        if (cell === undefined) await play.undisturbed(act, expected);
        else {
          const result = await runCell(play, act, expected, cell);
          told(result);
          if (result.failure === undefined) continue;
          // The next act has another start than it needs.
          for (const back of wayBack(artifact)) await play.calm(back);
          break;
        }
      } catch (error) {
        const failure = `not run, since ${act.name ?? 'the way back'} did not end even undisturbed: ${messageOf(error)}`;
        for (const left of [...waiting.values()].flat()) told({ ...left, seconds: 0, failure });
        return;
      }
    }
  }
}

async function runCell(play: Play, act: Act, expected: Look, cell: Cell): Promise<CellResult> {
  const begun = Date.now();
  const seconds = (): number => (Date.now() - begun) / 1000;
  try {
    await play.disturbed(act, expected, cell);
    return { ...cell, seconds: seconds() };
  } catch (error) {
    return { ...cell, seconds: seconds(), failure: messageOf(error) };
  }
}

/** Makes every revision, and has its artifact served. @returns the revisions' UIDs by name. */
async function serveRevisions(
  { client, dir, lab, supply }: Fleet,
  artifacts: readonly ArtifactKind[],
): Promise<Map<string, string>> {
  // The lab takes it down with what else runs in its folder.
  const registry = await startRegistry({ dir: join(lab.dir, 'registry'), address: lab.address, port: 5000 });
  const servers = {
    dir: join(dir, 'packed'),
    files: supply.fileServer,
    registry,
    buildAgent: buildTestAgent,
  };
  const uids = new Map<string, string>();
  for (const artifact of artifacts) {
    for (const version of versions) {
      const name = revisionName(artifact, version);
      const object = {
        metadata: { name },
        spec: await revisionSpec(artifact, version, servers),
      } as Applied<MachineComponentObject>;
      const made = await client.apply(MachineComponent, object, { fieldManager: 'crash-matrix' });
      uids.set(name, made.metadata.uid ?? '');
    }
  }
  return uids;
}

/** The hosts get their agents as always. Then nobody but the test says what belongs on them. */
async function importHosts(fleet: Fleet, artifacts: readonly ArtifactKind[]): Promise<void> {
  const { hosts } = fleet.lab;
  for (const host of hosts) {
    for (const artifact of artifacts)
      await writeFile(join(host.rootfs, configPath(artifact)), 'what stood there before\n');
    // An agent that ends comes back at once, for many cells.
    const dropIn = join(host.rootfs, 'etc/systemd/system/kubenode-agent.service.d');
    await mkdir(dropIn, { recursive: true });
    await writeFile(join(dropIn, 'crash-matrix.conf'), '[Service]\nRestartSec=100ms\n');
    await fleet.import(host);
  }
  await fleet.untilReady(hosts, 0);
  await fleet.operator.end();
  for (const host of hosts) await host.exec(['sync']);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
