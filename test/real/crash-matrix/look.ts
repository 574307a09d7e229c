/** What a host, its agent and the control plane say in the end, without what differs from run to run: times. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Machine } from '@kubenode/api';
import type { LabHost } from '@kubenode/lab';
import { changes, fingerprint } from '../fingerprint.ts';
import { readFolder } from './components.ts';

export interface Look {
  readonly told: Told;
  readonly host: Found;
}
/** What the agent wrote down and told, a line for each value. */
export type Told = readonly string[];
interface Found {
  readonly fingerprint: Awaited<ReturnType<typeof fingerprint>>;
  /** A line for each of the rest. */
  readonly rest: readonly string[];
}

const stateFolder = '/var/lib/kubenode';
/** Compared without their times below, or no part of what is compared: what was told last, what was asked last. */
const toldElsewhere = ['components', 'desired', 'status.json', 'reboots.json'].map(
  (name) => `${stateFolder}/${name}`,
);

/** What the agent's records and its Machine say. Costs little. */
export async function lookAtTold(host: LabHost, machine: Machine | undefined): Promise<Told> {
  const conditions = machine?.status?.conditions?.filter(({ type }) =>
    ['AgentReady', 'ComponentsReady'].includes(type),
  );
  return [
    ...(await records(host)),
    ...lines('status', machine?.status?.components ?? []),
    ...lines('conditions', conditions ?? []),
  ];
}

/** What really is on the host. @param component whose process is asked what it read; left out: none is to run. */
export async function lookAtHost(host: LabHost, component: string | undefined): Promise<Found> {
  const own = { rootfs: host.ownFiles, exec: host.exec.bind(host) };
  const packages = await host.exec(
    ['dpkg-query', '-W', '-f', '${Package} ${Version} ${Status}\\n', 'crash-*'],
    { allowFailure: true },
  );
  return {
    fingerprint: await fingerprint(own, toldElsewhere),
    rest: [
      `packages: ${packages.stdout}`,
      ...(component === undefined ? [] : [`its process has read: ${await readByProcess(host, component)}`]),
    ],
  };
}

/** What the second has otherwise than the first; empty when they are alike. */
export function differencesOnHost(expected: Found, found: Found): string[] {
  return [
    ...changes(expected.fingerprint, found.fingerprint),
    ...differencesOfLines(expected.rest, found.rest),
  ];
}

export function differencesOfLines(expected: readonly string[], found: readonly string[]): string[] {
  return [
    ...expected.filter((line) => !found.includes(line)).map((line) => `missing ${line}`),
    ...found.filter((line) => !expected.includes(line)).map((line) => `instead ${line}`),
  ];
}

async function readByProcess(host: LabHost, component: string): Promise<string> {
  const file = join(inHost(host, readFolder), component);
  return await readFile(file, 'utf8').catch((error: unknown) => String(error));
}

/** A folder that only the host sees: below its /run. */
export function inHost(host: LabHost, path: string): string {
  const leader = host.leader();
  if (leader === undefined) throw new Error(`${host.name} is off`);
  return `/proc/${leader}/root${path}`;
}

async function records(host: LabHost): Promise<string[]> {
  const found: string[] = [];
  for (const folder of ['components', 'journal']) {
    const path = join(host.rootfs, stateFolder, folder);
    const names: string[] = await readdir(path).catch(() => []);
    for (const name of names.toSorted()) {
      // Between the listing and here it may have been replaced, or dropped.
      const text = await readFile(join(path, name), 'utf8').catch(() => undefined);
      if (text !== undefined) found.push(...lines(`${folder}/${name}`, JSON.parse(text)));
    }
  }
  return found;
}

/** Names of times in records and statuses. */
const times = new Set([
  'at',
  'since',
  'until',
  'startedAt',
  'retryAt',
  'deadlineAt',
  'lastTransitionTime',
  'observedGeneration',
]);

/** Every value in it, one a line with where it stands, so that a difference can be told. */
function lines(path: string, value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [`${path} = ${JSON.stringify(value)}`];
  const entries = Object.entries(value).filter(([name]) => !times.has(name));
  if (entries.length === 0) return [`${path} = ${Array.isArray(value) ? '[]' : '{}'}`];
  return entries.flatMap(([name, inner]) => lines(`${path}.${name}`, inner));
}
