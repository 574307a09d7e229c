import type { SshSession } from '../ssh/index.ts';

/** A shell on a host, as root: an ssh session, or this very host for `kubenode join`. */
export type HostShell = Pick<SshSession, 'where' | 'exec' | 'writeFile'>;

/** Where KubeNode's own things stand on a host. `root` is put in front of each, for tests; '' on a host. */
export function hostPaths(root = ''): HostPaths {
  const at = (path: string): string => root + path;
  return {
    agents: at('/opt/kubenode/agent'),
    current: at('/opt/kubenode/agent/current'),
    unit: at('/etc/systemd/system/kubenode-agent.service'),
    watchdog: at('/etc/systemd/system/kubenode-agent-watchdog.service'),
    watchdogLink: at('/etc/systemd/system/multi-user.target.wants/kubenode-agent-watchdog.service'),
    etc: at('/etc/kubenode'),
    config: at('/etc/kubenode/agent.json'),
    ca: at('/etc/kubenode/ca.crt'),
    token: at('/etc/kubenode/bootstrap-token'),
    kubeletKubeconfig: at('/etc/kubenode/kubelet-bootstrap.kubeconfig'),
    state: at('/var/lib/kubenode'),
    run: at('/run/kubenode'),
    pid: at('/run/kubenode-agent.pid'),
    log: at('/var/log/kubenode-agent.log'),
    machineID: at('/etc/machine-id'),
    systemd: at('/run/systemd/system'),
  };
}

export interface HostPaths {
  /** Folder of the agent's binaries, one folder per digest. */
  readonly agents: string;
  /** Link to the folder of the binary in use. */
  readonly current: string;
  readonly unit: string;
  /** Unit that watches over an upgrade of the agent, while there is one. */
  readonly watchdog: string;
  readonly watchdogLink: string;
  readonly etc: string;
  readonly config: string;
  readonly ca: string;
  readonly token: string;
  readonly kubeletKubeconfig: string;
  readonly state: string;
  /** What the agent keeps until the next boot. */
  readonly run: string;
  /** Of the agent, where there is no systemd. */
  readonly pid: string;
  /** Of the agent, where there is no systemd. */
  readonly log: string;
  readonly machineID: string;
  /** There exactly where systemd is the init. */
  readonly systemd: string;
}

/** Name of the agent's unit. */
export const agentUnitName = 'kubenode-agent.service';
/** Of what brings the agent before back, should an upgrade fail. */
export const watchdogUnitName = 'kubenode-agent-watchdog.service';

/** An agent that can be pulled by hosts. */
export interface AgentBinary {
  /** http or https address that hosts can reach. */
  readonly url: string;
  /** `sha256:` and 64 hex digits. */
  readonly digest: string;
}

/** The folder of a binary: the first 12 hex digits of its digest tell it from others. */
export function agentFolder(paths: HostPaths, digest: string): string {
  return `${paths.agents}/${hexOf(digest).slice(0, 12)}`;
}

/** The hex digits of `sha256:...`. @throws TypeError where it is something else */
export function hexOf(digest: string): string {
  const match = /^sha256:([0-9a-f]{64})$/.exec(digest);
  if (match?.[1] === undefined)
    throw new TypeError(`"${digest}" is no digest: sha256: and 64 hex digits are asked for`);
  return match[1];
}
