import type { MachineComponentEntry, MachineComponentSpec } from '@kubenode/api';
import type { FakeClock } from '@kubenode/runtime';
import { fakeClock } from '@kubenode/runtime';
import { Agent, type AgentView } from '../agent.ts';
import type { Desired } from '../desired/desired.ts';
import type { Telling } from '../execute/context.ts';
import { sha256 } from '../plan/goal.ts';
import type { Disturbance } from '../plan/leave.ts';
import { type ComponentView, componentStatus } from '../report/status.ts';
import { MemoryHost } from './memory-host.ts';

const nothing = { info: () => undefined, warn: () => undefined, error: () => undefined };
export const silent = nothing;
export const stateFolder = '/var/lib/kubenode';

/** A revision's spec with the server's defaults. */
export function spec(
  fields: Partial<MachineComponentSpec> & { component: string; version: string },
): MachineComponentSpec {
  return {
    artifacts: [],
    files: [],
    probes: [],
    dependsOn: [],
    disruption: 'Restart',
    progressDeadline: '30s',
    onFailure: 'Rollback',
    ...fields,
  };
}
/** A desired state from entries and specs; each entry's revision is `<component>-<version>` unless it says otherwise. */
export function desired(
  specs: readonly MachineComponentSpec[],
  change: Partial<Record<string, Partial<MachineComponentEntry>>> = {},
  machine: Partial<Desired['machine']> = {},
): Desired {
  const entries = new Map<string, MachineComponentEntry>();
  for (const { component, version } of specs) {
    const revision = `${component}-${version}`;
    entries.set(component, {
      name: component,
      revision,
      revisionUID: `uid-${revision}`,
      drift: 'Repair',
      state: 'Present',
      ...change[component],
    });
  }
  return {
    machine: {
      name: 'n1',
      uid: 'uid-n1',
      generation: 1,
      nodeName: 'n1',
      paused: false,
      entries: [...entries.values()],
      ...machine,
    },
    revisions: specs.map((spec) => {
      const name = `${spec.component}-${spec.version}`;
      return { name, uid: `uid-${name}`, spec };
    }),
  };
}

/** A daemon from an archive, with a config file, a unit, a version check and a probe; and the archive, on the memory host. */
export function daemon(
  host: MemoryHost,
  version: string,
  fields: Partial<MachineComponentSpec> = {},
): MachineComponentSpec {
  const url = `http://files/daemon-${version}.tar.gz`;
  host.behaviour.artifacts.set(url, { 'bin/daemon': `program ${version}` });
  host.behaviour.commands.set('/opt/daemon/bin/daemon --version', { output: `daemon v${version}` });
  return spec({
    component: 'daemon',
    version,
    artifacts: [{ os: 'linux', arch: 'amd64', archive: { url, digest: sha256(url), path: '/opt/daemon' } }],
    files: [
      {
        path: '/etc/daemon.conf',
        mode: '0644',
        owner: '0:0',
        onChange: 'Restart',
        content: `version = ${version}\n`,
      },
    ],
    unit: { name: 'daemon.service', content: '[Service]\nExecStart=/opt/daemon/bin/daemon\n' },
    versionCheck: { exec: { command: ['/opt/daemon/bin/daemon', '--version'] }, pattern: 'v?(\\d\\S*)' },
    probes: [
      {
        name: 'alive',
        exec: { command: ['probe'] },
        periodSeconds: 2,
        timeoutSeconds: 1,
        failureThreshold: 3,
        initialDelaySeconds: 0,
      },
    ],
    ...fields,
  });
}

/** An agent on a memory host with a clock that the test turns. */
export class Story {
  readonly clock: FakeClock = fakeClock();
  readonly host = new MemoryHost(() => this.clock.now());
  readonly events: string[] = [];
  view: AgentView | undefined;
  /** Told what the agent publishes. */
  onPublish: (view: AgentView) => void = () => undefined;
  random = 0.5;
  telling: Telling = { isOnline: true, confirm: () => true };
  #stop = new AbortController();
  #ended: Promise<void> = Promise.resolve();
  #agent: Agent | undefined;

  /** Starts the agent, as after a boot: it knows what stands on disk and this desired state. */
  start(state: Desired | undefined): void {
    this.#stop = new AbortController();
    this.#agent = new Agent({
      host: this.host,
      stateFolder,
      clock: this.clock,
      log: nothing,
      telling: this.telling,
      random: () => this.random,
      event: (type, reason, message) => this.events.push(`${type} ${reason} ${message}`),
      publish: (view) => {
        this.view = view;
        this.onPublish(view);
      },
    });
    this.#agent.setDesired(state);
    this.#ended = this.#agent.run(this.#stop.signal);
  }
  want(state: Desired | undefined): void {
    this.#agent?.setDesired(state);
  }
  /** The disruption controller answers. */
  grant(state: Desired, kind: Disturbance, id: string): Desired {
    return { ...state, machine: { ...state.machine, leave: { id, kind, state: 'Granted' } } };
  }
  /** The host goes down and comes up again with the agent. */
  async restartHost(state: Desired | undefined): Promise<void> {
    await this.stop();
    await this.host.boot();
    this.start(state);
  }
  async stop(): Promise<void> {
    this.#stop.abort(new Error('stopped'));
    await this.clock.advance(0);
    await this.#ended;
  }
  component(name: string): ComponentView | undefined {
    return this.view?.components.find(({ component }) => component === name);
  }
  status(name: string): ReturnType<typeof componentStatus> | undefined {
    const view = this.component(name);
    return view && componentStatus(view);
  }
  /** Turns the clock until it is so, at most for the time given. */
  async until(so: () => boolean, withinMs = 60_000): Promise<void> {
    const end = this.clock.now() + withinMs;
    await this.clock.advance(0);
    while (!so()) {
      if (this.clock.now() > end) {
        throw new Error(
          `not so within ${withinMs} ms: ${JSON.stringify(this.view?.components.map((view) => componentStatus(view)))} ${this.events.join('\n')}`,
        );
      }
      await this.clock.advance(20);
    }
  }
  async ready(name: string, revision: string): Promise<void> {
    await this.until(() => this.status(name)?.state === 'Ready' && this.status(name)?.running === revision);
  }
}
