/** A control plane with KubeNode installed, the operator running, and hosts whose agents do as they are told. */
import { generateKeyPairSync } from 'node:crypto';
import { leaseRenewMs } from '@kubenode/api';
import {
  install,
  Machine,
  MachineComponent,
  MachineComponentSet,
  makeOperator,
  operatorAccount,
} from '@kubenode/machine';
import {
  ApiError,
  type Client,
  type Connection,
  ConnectionError,
  createClient,
  isNotFound,
  Lease,
  microTimestamp,
  Secret,
  silentLogger,
  staticCredentials,
  systemClock,
  timestamp,
} from '@kubenode/runtime';
import { enrol } from '../../packages/agent/src/identity/enrol.ts';

export const waitMs = 30_000;

/** The object as it is once the condition holds. Rejects with the object as it was last. */
export async function eventually<T>(
  what: string,
  read: () => Promise<T>,
  holds: (value: T) => boolean,
): Promise<T> {
  const until = Date.now() + waitMs;
  for (;;) {
    const value = await read();
    if (holds(value)) return value;
    if (Date.now() > until)
      throw new Error(`${what}: not within ${waitMs} ms; last ${JSON.stringify(value)}`);
    await systemClock.sleep(50);
  }
}

/** What is left out of the rollout is defaulted by the API server. */
type SetSpec = Partial<Omit<MachineComponentSet['spec'], 'rollout'>> & {
  readonly rollout?: Partial<MachineComponentSet['spec']['rollout']>;
};

export class Cluster {
  readonly admin: Client;
  readonly connection: Connection;
  readonly #stop = new AbortController();
  #operator: { stop: AbortController; ended: Promise<void> } | undefined;
  readonly #agents: Promise<void>[] = [];
  /** Entries that an agent was ever told to remove, as `machine/component`. */
  readonly toldToRemove = new Set<string>();
  /** Revisions that no agent gets to run, and why. */
  readonly bad = new Map<string, string>();
  /** What agents run, by `machine/component`. */
  readonly #runs = new Map<string, string>();

  constructor(connection: Connection) {
    this.connection = connection;
    this.admin = createClient(connection);
  }

  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  async install(): Promise<void> {
    await install(this.admin, this.signal);
  }

  /** The operator, with the rights of its own account and no more. */
  async startOperator(): Promise<void> {
    const stop = new AbortController();
    const path = `/api/v1/namespaces/kubenode-system/serviceaccounts/${operatorAccount}/token`;
    const { body } = await this.admin.raw('POST', path, {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: {},
    });
    const { status } = JSON.parse(body.toString('utf8')) as { status: { token: string } };
    const client = this.as(status);
    const operator = makeOperator({ client, log: silentLogger });
    this.#operator = { stop, ended: operator.run(stop.signal).finally(() => client.close()) };
  }

  async stopOperator(): Promise<void> {
    this.#operator?.stop.abort();
    await this.#operator?.ended;
    this.#operator = undefined;
  }

  /** A bootstrap token as an import (for one machine) or a join has it. */
  async token(id: string, machine?: string): Promise<Client> {
    const secret = '0123456789abcdef';
    await this.admin.create(Secret, {
      metadata: {
        name: `bootstrap-token-${id}`,
        namespace: 'kube-system',
        ...(machine === undefined ? {} : { annotations: { 'kubenode.io/machine': machine } }),
      },
      type: 'bootstrap.kubernetes.io/token',
      stringData: {
        'token-id': id,
        'token-secret': secret,
        'usage-bootstrap-authentication': 'true',
        'auth-extra-groups': 'system:bootstrappers:kubenode',
        expiration: timestamp(Date.now() + 3_600_000),
      },
    });
    const client = this.as({ token: `${id}.${secret}` });
    // The real API server learns of a new token by a watch of its own.
    await eventually(
      `token ${id} is known`,
      () => client.raw('GET', '/version').catch((error: unknown) => error),
      (answer) => !(answer instanceof ApiError && answer.status === 401),
    );
    return client;
  }

  as(identity: { token: string } | { cert: string; key: string }): Client {
    return createClient({ ...this.connection, credentials: staticCredentials(identity) });
  }

  /** Asks for the identity of a machine's agent, as the agent does. */
  async join(client: Client, machine: string, labels: Record<string, string> = {}): Promise<Client> {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const clock = {
      now: () => Date.now(),
      sleep: (ms: number, signal?: AbortSignal) => systemClock.sleep(ms, signal),
    };
    const cert = await enrol(client, { machine, key: privateKey, labels }, clock, this.signal);
    return this.as({ cert, key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() });
  }

  /** An agent that installs in no time (or so much) whatever its Machine says, and reports it with its own identity. */
  runAgent(client: Client, machine: string, installMs = 0): void {
    this.#agents.push(this.#agent(client, machine, installMs));
  }

  async #agent(client: Client, machine: string, installMs: number): Promise<void> {
    const renewing = this.#renew(client, machine);
    const watching = client.watch(Machine, {
      fieldSelector: `metadata.name=${machine}`,
      signal: this.signal,
    });
    let reported = 0;
    for await (const event of watching) {
      if (!('object' in event) || event.type === 'DELETED') continue;
      const { metadata, spec } = event.object;
      if (event.type !== 'ADDED' && metadata.generation === reported) continue;
      reported = metadata.generation ?? 0;
      for (const { name, state } of spec.components ?? []) {
        if (state === 'Absent') this.toldToRemove.add(`${machine}/${name}`);
      }
      await systemClock.sleep(installMs, this.signal).catch(() => undefined);
      await this.#reportUntilTold(client, machine, reported, spec.components ?? []);
    }
    await renewing;
  }

  async #renew(client: Client, machine: string): Promise<void> {
    while (!this.signal.aborted) {
      const spec = { holderIdentity: machine, renewTime: microTimestamp(Date.now()) };
      const metadata = { name: machine, namespace: 'kubenode-system' };
      const options = { fieldManager: 'kubenode-agent', signal: this.signal };
      // An API server that is away is asked again with the next renewal.
      await client.apply(Lease, { metadata, spec }, options).catch(() => undefined);
      await systemClock.sleep(leaseRenewMs / 2, this.signal).catch(() => undefined);
    }
  }

  /** An API server that is away is told when it is back. */
  async #reportUntilTold(...report: Parameters<Cluster['report']>): Promise<void> {
    while (!this.signal.aborted) {
      try {
        return await this.report(...report);
      } catch (error) {
        // The Machine went meanwhile: there is nobody to report to, and the host is left as it is.
        if (isNotFound(error)) return;
        // One that has just started refuses what it has not read the rules of yet.
        const isAway =
          error instanceof ConnectionError ||
          (error instanceof ApiError && (error.status >= 500 || error.status === 403));
        if (!isAway && !this.signal.aborted) throw error;
        await systemClock.sleep(500, this.signal).catch(() => undefined);
      }
    }
  }

  async report(
    client: Client,
    machine: string,
    generation: number,
    entries: NonNullable<Machine['spec']['components']>,
  ): Promise<void> {
    const present = entries.filter((entry) => entry.state === 'Present');
    const condition = (type: string) => ({
      type,
      status: 'True' as const,
      reason: 'Reported',
      message: '',
      observedGeneration: generation,
      lastTransitionTime: timestamp(Date.now()),
    });
    const components = present.map((entry) => this.#outcome(machine, entry));
    const ready = components.filter(({ state }) => state === 'Ready').length;
    await client.apply(
      Machine,
      {
        metadata: { name: machine },
        status: {
          summary: `${ready}/${present.length}`,
          components,
          conditions: [condition('AgentReady'), condition('ComponentsReady')],
        },
      },
      { fieldManager: 'kubenode-agent', subresource: 'status', signal: this.signal },
    );
  }

  /** What becomes of an entry on a host: a bad revision ends with the one before running again. */
  #outcome(machine: string, { name, revision, movedAt }: Entry): ComponentStatus {
    const key = `${machine}/${name}`;
    const moved = { name, ...(movedAt === undefined ? {} : { movedAt }) };
    const cause = this.bad.get(revision);
    if (cause === undefined) {
      this.#runs.set(key, revision);
      return { ...moved, desired: revision, running: revision, lastGood: revision, state: 'Ready' };
    }
    const running = this.#runs.get(key);
    const failed = { revision, step: 'start', attempts: 1, at: timestamp(Date.now()), message: cause };
    return {
      ...moved,
      desired: revision,
      ...(running === undefined ? {} : { running, lastGood: running }),
      state: 'Failed',
      message: cause,
      failed,
    };
  }

  async revision(name: string): Promise<void> {
    const [component = '', version = ''] = name.split('-');
    const spec = { component, version, files: [{ path: `/etc/${name}`, content: name }] };
    await this.admin.apply(MachineComponent, { metadata: { name }, spec }, { fieldManager: 'test' });
  }

  async set(name: string, spec: SetSpec): Promise<void> {
    await this.admin.apply(
      MachineComponentSet,
      { metadata: { name }, spec: { component: name, ...spec } as MachineComponentSet['spec'] },
      { fieldManager: 'test', force: true },
    );
  }

  /** Resolves when the set says that it is Ready for its present generation. */
  async rolledOut(name: string): Promise<MachineComponentSet> {
    const set = await eventually(
      `set ${name} rolled out`,
      () => this.admin.get(MachineComponentSet, name),
      (found) => {
        const ready = found?.status?.conditions?.find((condition) => condition.type === 'Ready');
        return ready?.status === 'True' && ready.observedGeneration === found?.metadata.generation;
      },
    );
    if (set === undefined) throw new Error(`set ${name} is gone`);
    return set;
  }

  async machine(name: string): Promise<Machine> {
    const machine = await this.admin.get(Machine, name);
    if (machine === undefined) throw new Error(`Machine ${name} is gone`);
    return machine;
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await Promise.allSettled(this.#agents);
    await this.stopOperator();
    this.admin.close();
  }
}

type Machine = NonNullable<(typeof Machine)['objects']>;
type Entry = NonNullable<Machine['spec']['components']>[number];
type ComponentStatus = NonNullable<NonNullable<Machine['status']>['components']>[number];
type MachineComponentSet = NonNullable<(typeof MachineComponentSet)['objects']>;
