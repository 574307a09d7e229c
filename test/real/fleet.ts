/**
 * The whole system on real hosts: a control plane of either sort, the operator as a process of its own, hosts, and what their components
 * are made of. Scenarios tell it what happens; it says where the fleet ends. Everything is taken down by `close`, also after a failure.
 */
import { cp, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type MachineComponentSetStatus,
  type MachineImportSpec,
  type MachineStatus,
  systemNamespace,
} from '@kubenode/api';
import {
  allowNodeBootstrap,
  createLab,
  freePorts,
  type HostOptions,
  type Lab,
  type LabHost,
  startKubernetes,
  type Supply,
  supplyExamples,
} from '@kubenode/lab';
import { install, Machine, MachineComponentSet, MachineImport } from '@kubenode/machine';
import { type Client, createClient, findCondition, loadKubeconfig, Secret } from '@kubenode/runtime';
import { applyManifests } from '../../demo/src/manifests.ts';
import { buildAgent } from '../../packages/agent/build/sea.ts';
import { Process } from './process.ts';

export type PlaneKind = 'embedded' | 'kubernetes';

export interface FleetOptions {
  readonly plane: PlaneKind;
  readonly hosts: number | readonly HostOptions[];
  /** Hosts that can carry a kubelet. Default false. */
  readonly kubelet?: boolean;
  /** Components of examples/ to serve; default all. None is applied before `applyComponents`. */
  readonly components?: readonly string[];
  /** First file of the agent's program, where it is not the agent's own. */
  readonly agentEntry?: string;
  /** Nothing is told while it comes up. Default false. */
  readonly quiet?: boolean;
}

/** A control plane that can be taken away and given back. */
export interface Plane {
  readonly kind: PlaneKind;
  readonly client: Client;
  /** File of the administrator's kubeconfig. */
  readonly kubeconfig: string;
  readonly server: string;
  readonly ca: string;
  /** The embedded API server; undefined where Kubernetes is the real one. */
  readonly apiserver?: Process;
  stopApiserver(): Promise<void>;
  startApiserver(): Promise<void>;
}

const keySecret = 'lab-ssh-key';
const program = join(import.meta.dirname, '../../packages/cli/src/main.ts');

export class Fleet {
  readonly dir: string;
  readonly lab: Lab;
  readonly plane: Plane;
  readonly client: Client;
  readonly supply: Supply & { fileServer: Awaited<ReturnType<typeof supplyExamples>>['fileServer'] };
  readonly operator: Process;
  readonly #close: () => Promise<void>;

  constructor(parts: {
    dir: string;
    lab: Lab;
    plane: Plane;
    supply: Fleet['supply'];
    operator: Process;
    close: () => Promise<void>;
  }) {
    this.dir = parts.dir;
    this.lab = parts.lab;
    this.plane = parts.plane;
    this.client = parts.plane.client;
    this.supply = parts.supply;
    this.operator = parts.operator;
    this.#close = parts.close;
  }

  host(name: string): LabHost {
    return this.lab.host(name);
  }

  /** Applies the example components and their sets; all that are served, or these. `change` may alter a manifest first. */
  async applyComponents(
    only?: readonly string[],
    change: (manifest: Fleet['supply']['examples']['manifests'][number]) => void = () => undefined,
  ): Promise<void> {
    const manifests = structuredClone(
      this.supply.examples.manifests.filter(
        ({ spec }) => only === undefined || only.includes(spec.component),
      ),
    );
    for (const manifest of manifests) change(manifest);
    await applyManifests(this.client, manifests);
  }

  /** Makes or changes the MachineImport of a host. */
  async import(
    host: LabHost,
    more: Partial<MachineImportSpec['machine']> = {},
    state: MachineImportSpec['state'] = 'Imported',
  ): Promise<void> {
    await applyManifests(this.client, [
      {
        apiVersion: 'kubenode.io/v1alpha1',
        kind: 'MachineImport',
        metadata: { name: host.name },
        spec: {
          state,
          ssh: { address: host.address, hostKey: host.hostKey, keySecretName: keySecret },
          machine: { name: host.name, ...more },
        },
      } as never,
    ]);
  }

  /** Waits for a condition; the error after the deadline tells what was seen last. */
  async until<T>(
    what: string,
    look: () => Promise<T | undefined | false>,
    deadlineMs = 120_000,
    seen?: () => Promise<unknown>,
  ): Promise<T> {
    const deadline = Date.now() + deadlineMs;
    for (;;) {
      const found = await look();
      if (found !== undefined && found !== false) return found;
      if (Date.now() > deadline) {
        const last = seen === undefined ? '' : `\n${JSON.stringify(await seen(), undefined, 1)}`;
        throw new Error(`not in ${deadlineMs / 1000} s: ${what}${last}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  /** Waits until all sets are rolled out and these machines are Ready, with at least so many components. */
  async untilReady(hosts: readonly LabHost[], components: number, deadlineMs = 240_000): Promise<void> {
    await this.until(
      `${hosts.map(({ name }) => name).join(', ')} Ready with ${components} components`,
      async () => {
        const isReady = ({ status }: { readonly status?: MachineStatus | MachineComponentSetStatus }) =>
          findCondition(status?.conditions, 'Ready')?.status === 'True';
        // The few sets first, and machines only where they are ready: whoever waits should not be what is waited for.
        if (!(await this.client.list(MachineComponentSet)).items.every(isReady)) return false;
        const { items: machines } = await this.client.list(Machine);
        const byName = new Map(machines.map((machine) => [machine.metadata.name, machine]));
        return hosts.every(({ name }) => {
          const machine = byName.get(name);
          return (
            machine !== undefined &&
            isReady(machine) &&
            (machine.status?.components?.length ?? 0) >= components
          );
        });
      },
      deadlineMs,
      async () => ({
        machines: (await this.client.list(Machine)).items.map(({ metadata, status }) => ({
          name: metadata.name,
          conditions: status?.conditions?.map(({ type, status, message }) => `${type}=${status} ${message}`),
          notReady: status?.components?.filter(({ state }) => state !== 'Ready'),
        })),
        imports: (await this.client.list(MachineImport)).items.map(({ metadata, status }) => ({
          name: metadata.name,
          steps: status?.steps?.filter(({ state }) => state !== 'Done'),
        })),
        sets: (await this.client.list(MachineComponentSet)).items.map(({ metadata, status }) => ({
          name: metadata.name,
          batch: status?.batch,
        })),
      }),
    );
  }

  async close(): Promise<void> {
    await this.#close();
  }
}

/** Stands everything up. What was started before a failure is taken down again. */
export async function startFleet(options: FleetOptions): Promise<Fleet> {
  const dir = await mkdtemp(join(tmpdir(), 'kubenode-fleet-'));
  const undo: (() => Promise<void>)[] = [() => rm(dir, { recursive: true, force: true })];
  const close = async (): Promise<void> => {
    for (const step of undo.reverse()) await step();
  };
  const progress = (line: string): void => {
    if (options.quiet !== true) process.stderr.write(`    ${line}\n`);
  };
  try {
    const lab = await createLab({
      dir: join(dir, 'lab'),
      hosts: options.hosts,
      kubelet: options.kubelet ?? false,
      progress,
    });
    undo.push(() => lab.close());
    const plane = await startPlane(options.plane, dir, lab.address, progress, undo);
    const supply = await supplyExamples({
      dir: join(dir, 'supply'),
      address: lab.address,
      progress,
      ...(options.components !== undefined && { only: options.components }),
    });
    undo.push(() => supply.close());
    await install(plane.client, AbortSignal.timeout(60_000));
    await plane.client.apply(
      Secret,
      {
        metadata: { name: keySecret, namespace: systemNamespace },
        type: 'kubernetes.io/ssh-auth',
        data: { 'ssh-privatekey': (await readFile(lab.sshKey)).toString('base64') },
      },
      { fieldManager: 'test', force: true },
    );
    const operator = await startOperator(dir, plane, supply, progress, options.agentEntry);
    undo.push(() => operator.end());
    return new Fleet({ dir, lab, plane, supply, operator, close });
  } catch (error) {
    await close();
    throw error;
  }
}

/** A control plane alone; what takes it down again is put into `undo`. */
export async function startPlane(
  kind: PlaneKind,
  dir: string,
  address: string,
  progress: (line: string) => void,
  undo: (() => Promise<void>)[],
): Promise<Plane> {
  if (kind === 'kubernetes') {
    const real = await startKubernetes({ dir: join(dir, 'kubernetes'), address, progress });
    undo.push(() => real.stop());
    await allowNodeBootstrap(real);
    const client = createClient(await loadKubeconfig(real.kubeconfig));
    undo.push(async () => client.close());
    return {
      kind,
      client,
      kubeconfig: real.kubeconfig,
      server: real.server,
      ca: await readFile(real.caFile, 'utf8'),
      stopApiserver: () => real.stopApiserver(),
      startApiserver: () => real.startApiserver(),
    };
  }
  const data = join(dir, 'apiserver');
  await mkdir(data, { recursive: true });
  const [port = 0] = await freePorts(address, 1);
  const server = new Process('apiserver', join(dir, 'apiserver.log'), [
    program,
    'apiserver',
    '--data-dir',
    data,
    '--port',
    String(port),
    '--listen',
    address,
    '--advertise',
    address,
  ]);
  const start = async (): Promise<void> => {
    await server.start();
    await server.says(/answers at/);
  };
  await start();
  undo.push(() => server.end());
  const kubeconfig = join(data, 'kubeconfig');
  const connection = await loadKubeconfig(kubeconfig);
  const client = createClient(connection);
  undo.push(async () => client.close());
  return {
    kind,
    client,
    kubeconfig,
    server: connection.server,
    ca: connection.ca ?? '',
    apiserver: server,
    stopApiserver: () => server.kill(),
    startApiserver: start,
  };
}

async function startOperator(
  dir: string,
  plane: Plane,
  supply: Fleet['supply'],
  progress: (line: string) => void,
  entry: string | undefined,
): Promise<Process> {
  const agent = await buildAgent({ progress, ...(entry !== undefined && { entry }) });
  await cp(agent.path, join(supply.fileServer.dir, 'kubenode-agent'));
  const arch = process.arch === 'x64' ? 'amd64' : process.arch;
  const operator = new Process('operator', join(dir, 'operator.log'), [
    program,
    'operator',
    '--kubeconfig',
    plane.kubeconfig,
    '--no-leader-election',
    '--agent',
    `${arch}=http://artifacts.lab/kubenode-agent@${agent.digest}`,
  ]);
  await operator.start();
  return operator;
}
