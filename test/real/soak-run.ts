/** One run of the soak: a host is taken over while agent and operator are killed at random moments, and ends like one that was left alone. */
import { setTimeout as delay } from 'node:timers/promises';
import type { LabHost } from '@kubenode/lab';
import { Machine, MachineComponent, MachineComponentSet, MachineImport } from '@kubenode/machine';
import { changes, fingerprint } from './fingerprint.ts';
import { type Fleet, startFleet } from './fleet.ts';

/** Files, units, hooks, and two Debian packages, one with a service and a probe. */
const components = ['logrotate', 'rsyslog', 'sysctl'];

/** How a run ended: what changed on its host, and what the API says. Nothing in it differs between two runs that were left alone. */
export interface Ending {
  readonly host: readonly string[];
  readonly api: unknown;
}

export interface Run {
  readonly ending: Ending;
  /** What was killed, and when after the begin in milliseconds. */
  readonly kills: readonly string[];
  readonly durationMs: number;
}

/** mulberry32: small, and the same everywhere. @returns numbers from 0 up to 1. */
function chance(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * A fresh host, a fresh control plane, and a whole import with its components.
 * @param seed of the moments and victims; undefined: nobody is killed
 * @param like the ending to wait for, at most half a minute after all is Ready
 */
export async function soakRun(seed: number | undefined, like?: Ending): Promise<Run> {
  const fleet = await startFleet({ plane: 'embedded', hosts: 1, components, quiet: true });
  try {
    const host = fleet.host('h1');
    const fresh = await fingerprint(host);
    const begin = performance.now();
    await fleet.applyComponents();
    await fleet.import(host);
    const kills: string[] = [];
    if (seed !== undefined) await killAtRandom(fleet, host, chance(seed), begin, kills);
    await fleet.untilReady([host], components.length, 180_000);
    const durationMs = performance.now() - begin;
    // The import tells of its end only once it has seen that all is Ready: an ending looked at before is none.
    await fleet.until('the import is at its end', async () => {
      const { status } = (await fleet.client.get(MachineImport, host.name)) ?? {};
      return status?.phase === 'Imported';
    });

    const look = async (): Promise<Ending> => ({
      host: changes(fresh, await fingerprint(host)).map(withoutChance),
      api: await picture(fleet),
    });
    const deadline = performance.now() + 30_000;
    for (;;) {
      const ending = await look();
      const isThere = like === undefined || differences(like, ending).length === 0;
      if (isThere || performance.now() > deadline) return { ending, kills, durationMs };
      await delay(500);
    }
  } finally {
    await fleet.close();
  }
}

/** What one ending has otherwise than the other, a line each. */
export function differences(expected: Ending, found: Ending): string[] {
  const [was, is] = [linesOf(expected), linesOf(found)];
  return [
    ...was.filter((line) => !is.includes(line)).map((line) => `- ${line}`),
    ...is.filter((line) => !was.includes(line)).map((line) => `+ ${line}`),
  ];
}

function linesOf({ host, api }: Ending): string[] {
  const lines = [...host];
  const walk = (value: unknown, path: string): void => {
    if (typeof value !== 'object' || value === null) lines.push(`${path} = ${JSON.stringify(value)}`);
    else for (const [key, inner] of Object.entries(value)) walk(inner, `${path}.${key}`);
  };
  walk(api, 'api');
  return lines;
}

async function killAtRandom(
  fleet: Fleet,
  host: LabHost,
  random: () => number,
  begin: number,
  kills: string[],
): Promise<void> {
  const times = 3 + Math.floor(random() * 4);
  for (let i = 0; i < times; i++) {
    const [victim, waitMs] = [random() < 0.6 ? 'agent' : 'operator', 20 + random() * 2000];
    // The first seconds of an import know no agent: its moments begin when it does.
    if (victim === 'agent')
      await fleet.until('there is an agent to kill', () => isThere(host), 60_000).catch(() => undefined);
    await delay(waitMs);
    if (victim === 'agent') await killAgent(host);
    else {
      await fleet.operator.kill();
      await fleet.operator.start();
    }
    kills.push(`${victim} ${Math.round(performance.now() - begin)}`);
  }
}

async function isThere(host: LabHost): Promise<boolean> {
  const command = ['systemctl', 'is-active', '--quiet', 'kubenode-agent.service'];
  return (await host.exec(command, { allowFailure: true })).code === 0;
}

/** Its service manager starts it again. No process to kill (it was killed a moment ago) is no error. */
async function killAgent(host: LabHost): Promise<void> {
  const command = ['systemctl', 'kill', '--kill-whom=main', '--signal=SIGKILL', 'kubenode-agent.service'];
  await host.exec(command, { allowFailure: true });
}

/**
 * Keys, tokens and times differ with every run: of the agent's own files only their being there and their modes count. A checkout that is
 * worked on builds another agent.
 */
function withoutChance(changed: string): string {
  const line = changed.replaceAll(/(?<=\/opt\/kubenode\/agent\/)[0-9a-f]{12}/g, 'DIGEST');
  const path = line.slice(0, line.indexOf(': '));
  const isOwn =
    path.startsWith('/etc/kubenode/') ||
    path.startsWith('/var/lib/kubenode/') ||
    path.startsWith('/opt/kubenode/');
  return isOwn ? line.replaceAll(/ [0-9a-f]{16}\b/g, '') : line;
}

/** The API objects without what is new in every run: times, UIDs, versions, addresses. */
async function picture(fleet: Fleet): Promise<unknown> {
  const [machines, imports, sets, revisions] = await Promise.all([
    fleet.client.list(Machine),
    fleet.client.list(MachineImport),
    fleet.client.list(MachineComponentSet),
    fleet.client.list(MachineComponent),
  ]);
  return {
    machines: byName(machines.items, ({ metadata, spec, status }) => ({
      labels: metadata.labels,
      finalizers: metadata.finalizers,
      spec: {
        ...spec,
        components: spec.components?.map(
          ({ movedAt: _at, revisionUID: _uid, rollout: _rollout, ...entry }) => entry,
        ),
      },
      phase: status?.phase,
      summary: status?.summary,
      conditions: status?.conditions
        ?.map(({ type, status: told, reason }) => `${type} ${told} ${reason}`)
        .sort(),
      components: status?.components?.map(({ since: _since, movedAt: _at, ...component }) => component),
    })),
    imports: byName(imports.items, ({ status }) => ({
      phase: status?.phase,
      steps: status?.steps?.map(({ name, state }) => `${name} ${state}`),
      conditions: status?.conditions?.map(({ type, status: told }) => `${type} ${told}`).sort(),
    })),
    sets: byName(sets.items, ({ metadata, status }) => ({
      finalizers: metadata.finalizers,
      machines: status?.machines,
      ready: status?.ready,
      failed: status?.failed,
      drifted: status?.drifted,
      currentRevision: status?.currentRevision,
      failedRevision: status?.failedRevision,
      batch: status?.batch?.state,
    })),
    revisions: byName(revisions.items, ({ metadata, spec }) => ({ finalizers: metadata.finalizers, spec })),
  };
}

function byName<T extends { metadata: { name: string } }>(
  items: readonly T[],
  show: (item: T) => unknown,
): Record<string, unknown> {
  return Object.fromEntries(items.map((item) => [item.metadata.name, show(item)]));
}
