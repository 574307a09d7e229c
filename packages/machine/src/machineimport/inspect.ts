import { type HostPaths, type HostShell } from './host.ts';
import { inspectScript } from './scripts.ts';
import { agentUnitName } from './host.ts';
import { firstLine } from '../ssh/index.ts';

/** What matters of a host before anything is changed on it. */
export interface HostFacts {
  /** As uname says: Linux. */
  readonly os: string;
  /** In Go's words: amd64, arm64; what uname says where there is no such word. */
  readonly arch: string;
  readonly kernel: string;
  /** Seconds since the epoch by the host's clock. */
  readonly time: number;
  readonly machineID: string | undefined;
  readonly systemd: boolean;
  readonly sha256sum: boolean;
  /** Version of the GNU C library; undefined where the host has another one. */
  readonly glibc: string | undefined;
  /** KiB free for each of KubeNode's folders. */
  readonly free: Readonly<Record<string, number>>;
  /** The folders of those that cannot be written to. */
  readonly readonly: readonly string[];
  /** What systemd says of the agent's unit: active, inactive, failed... */
  readonly agent: string | undefined;
  /** Its agent has had a certificate. */
  readonly identity: boolean;
  /** What the agent's configuration says, where there is one. */
  readonly config: { readonly machine?: string; readonly server?: string } | undefined;
}

export async function readFacts(host: HostShell, paths: HostPaths): Promise<HostFacts> {
  const { agents, state, etc, config, machineID, systemd } = paths;
  const result = await host.exec(
    ['/bin/sh', '-c', inspectScript, 'sh', agents, state, etc, config, machineID, systemd, agentUnitName],
    { timeoutMs: 30_000 },
  );
  if (result.exitCode !== 0) {
    throw new Error(`the host could not be inspected${firstLine(result.stderr, ': ')}`);
  }
  return parseFacts(result.stdout);
}

const goArch: Readonly<Record<string, string>> = { x86_64: 'amd64', aarch64: 'arm64', arm64: 'arm64' };

export function parseFacts(text: string): HostFacts {
  const values = new Map<string, string>();
  for (const line of text.split('\n')) {
    const space = line.indexOf(' ');
    if (space > 0) values.set(line.slice(0, space), line.slice(space + 1).trim());
  }
  const free: Record<string, number> = {};
  const readonly: string[] = [];
  for (const [key, value] of values) {
    if (key.startsWith('free.')) free[key.slice('free.'.length)] = Number(value);
    if (key.startsWith('readonly.')) readonly.push(value);
  }
  const arch = values.get('arch') ?? '';
  const config = values.get('config');
  return {
    os: values.get('os') ?? '',
    arch: goArch[arch] ?? arch,
    kernel: values.get('kernel') ?? '',
    time: Number(values.get('time') ?? Number.NaN),
    machineID: values.get('machineID') || undefined,
    systemd: values.get('systemd') === 'yes',
    sha256sum: values.get('sha256sum') === 'yes',
    glibc: values.get('glibc'),
    free,
    readonly,
    agent: values.get('agent'),
    identity: values.has('identity'),
    config: config === undefined ? undefined : parseConfig(config),
  };
}

function parseConfig(text: string): { machine?: string; server?: string } {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null) return {};
    return {
      ...('machine' in value && typeof value.machine === 'string' ? { machine: value.machine } : {}),
      ...('server' in value && typeof value.server === 'string' ? { server: value.server } : {}),
    };
  } catch {
    // Written in part, or by somebody else: it is written anew.
    return {};
  }
}

export interface Expectations {
  /** Our clock, epoch milliseconds, when the facts were asked for. */
  readonly now: number;
  readonly machine: string;
  /** Address of the API server for agents. */
  readonly server: string;
  /** Architectures that there is an agent for. */
  readonly archs: readonly string[];
}

/**
 * KiB: the agent's binary (117 MB), its next version beside it, and staged components need room; configuration and keys a
 * little.
 */
const needed: Readonly<Record<string, number>> = { agents: 512 * 1024, state: 256 * 1024, etc: 4 * 1024 };
/** Beyond it certificates that are valid from now on would not be valid on the host. */
const clockToleranceMs = 5 * 60_000;
/** What the agent's runtime is built against. */
const oldestGlibc = [2, 28] as const;

/** Why the host cannot be taken over, and what to do; undefined: it can. */
export function objection(facts: HostFacts, paths: HostPaths, want: Expectations): string | undefined {
  if (facts.os !== 'Linux')
    return `the host runs ${facts.os || 'an unknown system'}; only Linux hosts can be imported`;
  if (!want.archs.includes(facts.arch)) {
    return `there is no agent for the host's architecture ${facts.arch}; the operator has one for ${want.archs.join(', ') || 'none'}`;
  }
  if (facts.glibc === undefined) {
    return 'the host has no GNU C library, which the agent needs; hosts with another one cannot be imported';
  }
  if (isOlder(facts.glibc)) {
    return `the host's C library is glibc ${facts.glibc}; the agent needs ${oldestGlibc.join('.')} or newer: upgrade the host's system`;
  }
  if (!facts.sha256sum) return 'the host has no sha256sum, which proves downloads; install coreutils there';
  const skew = facts.time * 1000 - want.now;
  if (!(Math.abs(skew) <= clockToleranceMs)) {
    return Number.isNaN(skew)
      ? "the host's clock could not be read (date +%s)"
      : `the host's clock is ${duration(Math.abs(skew))} ${skew > 0 ? 'ahead' : 'behind'}, so certificates would not be valid there; set it (chrony, timedatectl)`;
  }
  return roomObjection(facts, paths) ?? ownerObjection(facts, want);
}

function roomObjection(facts: HostFacts, paths: HostPaths): string | undefined {
  if (facts.readonly.length > 0)
    return `${facts.readonly.join(', ')} cannot be written to; mount it writable`;
  const folders: Readonly<Record<string, string>> = {
    agents: paths.agents,
    state: paths.state,
    etc: paths.etc,
  };
  for (const [name, kib] of Object.entries(needed)) {
    const free = facts.free[name];
    if (free !== undefined && free < kib) {
      return `${folders[name]} has room for ${Math.floor(free / 1024)} MiB, ${kib / 1024} MiB are needed; make room on that file system`;
    }
  }
  return undefined;
}

function ownerObjection({ config, identity }: HostFacts, want: Expectations): string | undefined {
  if (config?.machine === undefined || config.machine === want.machine) return undefined;
  const of = config.server === undefined ? '' : ` of ${config.server}`;
  if (!identity) {
    return (
      `the host is on its way to be Machine ${config.machine}${of} (/etc/kubenode/agent.json) and has no certificate yet; if nobody ` +
      `brings it in under that name, run there: systemctl stop kubenode-agent && rm /etc/kubenode/agent.json, and try again`
    );
  }
  return (
    `the host is already Machine ${config.machine}${of} (/etc/kubenode/agent.json); ` +
    `revert that import first, or set spec.machine.name of a new MachineImport to ${config.machine}`
  );
}

function isOlder(glibc: string): boolean {
  const [major = 0, minor = 0] = glibc.split('.').map(Number);
  return major < oldestGlibc[0] || (major === oldestGlibc[0] && minor < oldestGlibc[1]);
}

function duration(ms: number): string {
  const minutes = Math.round(ms / 60_000);
  if (minutes < 120) return `${minutes} minutes`;
  const hours = Math.round(minutes / 60);
  return hours < 48 ? `${hours} hours` : `${Math.round(hours / 24)} days`;
}
