import { firstLine } from '../ssh/index.ts';
import {
  agentFolder,
  type AgentBinary,
  agentUnitName,
  hexOf,
  type HostPaths,
  type HostShell,
  watchdogUnitName,
} from './host.ts';
import { fetchScript, linkScript, startWithoutSystemdScript, stopWithoutSystemdScript } from './scripts.ts';

/** Content of a download, for pushing it to a host that cannot fetch. */
export type Download = (url: string) => AsyncIterable<Buffer>;

/** An agent of 117 MB over a slow line: 1 Mbit/s would take 16 minutes, 2 Mbit/s arrive in time. */
const fetchTimeoutMs = 600_000;

/**
 * Brings a binary to `path` on the host: pulled by the host itself, and only where it cannot fetch anything, pushed. Right by its digest, or not
 * there at all.
 *
 * @param push only with it a host that cannot pull gets the binary through this process
 * @throws Error that names address and digests
 * @returns how it got there, for people
 */
export async function bringBinary(
  host: HostShell,
  binary: AgentBinary,
  path: string,
  push?: Download,
): Promise<'present' | 'pulled' | 'pushed'> {
  const hex = hexOf(binary.digest);
  const run = (source: string, stdin?: AsyncIterable<Buffer>) =>
    host.exec(['/bin/sh', '-c', fetchScript, 'sh', source, hex, path], {
      timeoutMs: fetchTimeoutMs,
      ...(stdin === undefined ? {} : { stdin }),
    });
  const pulled = await run(binary.url);
  if (pulled.exitCode === 0) return pulled.stdout.trim() === 'present' ? 'present' : 'pulled';
  const complaint = firstLine(pulled.stderr);
  if (pulled.exitCode === 12) {
    throw new Error(
      `${complaint}; the operator's agent address and digest do not belong together: correct them`,
    );
  }
  // 10: nothing can fetch. 11: the host does not get at the address; we may.
  if ((pulled.exitCode === 10 || pulled.exitCode === 11) && push !== undefined) {
    try {
      const pushed = await run('-', push(binary.url));
      if (pushed.exitCode === 0) return 'pushed';
      throw new Error(firstLine(pushed.stderr) || `exit status ${pushed.exitCode}`);
    } catch (error) {
      throw new Error(
        `the host could not fetch the agent from ${binary.url} (${complaint}), and pushing it failed too: ${(error as Error).message}`,
        { cause: error },
      );
    }
  }
  throw new Error(
    `the agent could not be brought from ${binary.url} to ${path}: ${complaint || `exit status ${pulled.exitCode}`}; ` +
      'check that the host reaches that address and has room',
  );
}

/** Puts the binary where the unit finds it. @returns what was done, for people */
export async function installAgent(
  host: HostShell,
  paths: HostPaths,
  binary: AgentBinary,
  push?: Download,
): Promise<string> {
  const folder = agentFolder(paths, binary.digest);
  const how = await bringBinary(host, binary, `${folder}/kubenode-agent`, push);
  const version = await host.exec([`${folder}/kubenode-agent`, 'version'], { timeoutMs: 30_000 });
  if (version.exitCode !== 0) {
    throw new Error(
      `${folder}/kubenode-agent does not run on the host${firstLine(version.stderr || version.stdout, ': ') || ` (exit status ${version.exitCode})`}`,
    );
  }
  await script(host, linkScript, [folder, paths.current], `${paths.current} could not be linked`);
  return `agent ${version.stdout.trim()} ${how === 'present' ? 'was there already' : how === 'pulled' ? 'pulled' : 'pushed over ssh, for the host cannot fetch it'}`;
}

/** Starts the agent, or starts it anew so that it reads what was written. */
export async function startAgent(host: HostShell, paths: HostPaths, systemd: boolean): Promise<void> {
  if (!systemd) {
    await script(
      host,
      startWithoutSystemdScript,
      [`${paths.current}/kubenode-agent`, paths.config, paths.pid, paths.log],
      'the agent could not be started',
    );
    return;
  }
  await host.writeFile(paths.unit, agentUnit(paths), { mode: 0o644 });
  for (const argv of [
    ['systemctl', 'daemon-reload'],
    ['systemctl', 'enable', '--quiet', agentUnitName],
    ['systemctl', 'restart', agentUnitName],
  ]) {
    const result = await host.exec(argv);
    if (result.exitCode !== 0) {
      throw new Error(
        `${argv.join(' ')} failed${firstLine(result.stderr, ': ')}; see journalctl -u ${agentUnitName} there`,
      );
    }
  }
}

/** Stops the agent and keeps it from coming back with the next boot. Nothing to stop is no error. */
export async function stopAgent(host: HostShell, paths: HostPaths, systemd: boolean): Promise<void> {
  if (!systemd) {
    await script(host, stopWithoutSystemdScript, [paths.pid], 'the agent could not be stopped');
    return;
  }
  // The watchdog first: in the middle of an upgrade it would start the agent again.
  for (const unit of [watchdogUnitName, agentUnitName]) {
    const state = await host.exec(['systemctl', 'show', '--property=LoadState', '--value', unit]);
    if (state.stdout.trim() === 'not-found') continue;
    const result = await host.exec(['systemctl', 'disable', '--quiet', '--now', unit], {
      timeoutMs: 120_000,
    });
    if (result.exitCode !== 0)
      throw new Error(`${unit} could not be stopped${firstLine(result.stderr, ': ')}`);
  }
}

/**
 * Takes away everything that is KubeNode's own on a host. What components brought is the business of the agent's revert.
 * With `keepOriginals` the copies of what was there before stay, for what could not be put back.
 */
export async function removeAgent(
  host: HostShell,
  paths: HostPaths,
  { systemd, keepOriginals }: { readonly systemd: boolean; readonly keepOriginals: boolean },
): Promise<void> {
  const args = [
    paths.state,
    keepOriginals ? 'originals' : '',
    paths.etc,
    paths.unit,
    paths.watchdog,
    paths.watchdogLink,
    paths.log,
    paths.run,
    paths.agents,
  ];
  await script(host, removeScript, args, "what is KubeNode's own could not be removed");
  if (systemd) {
    await host.exec(['systemctl', 'daemon-reload']);
    await host.exec(['systemctl', 'reset-failed', agentUnitName]);
  }
}

/**
 * $1 state folder, $2 what stays in it, $3 folder of configuration, of which sources.json stays: that is the host's own. Then paths; the
 * last one's parent goes too when nothing else is in it.
 */
const removeScript = `set -eu
empty() {
  for entry in "$1"/* "$1"/.[!.]*; do
    [ "$entry" = "$1/$2" ] || rm -rf -- "$entry"
  done
  rmdir -- "$1" 2>/dev/null || true
}
empty "$1" "$2"
empty "$3" sources.json
shift 3
rm -rf -- "$@"
for last in "$@"; do :; done
rmdir -- "$(dirname -- "$last")" 2>/dev/null || true
`;

async function script(
  host: HostShell,
  text: string,
  args: readonly string[],
  failure: string,
): Promise<void> {
  const result = await host.exec(['/bin/sh', '-c', text, 'sh', ...args]);
  if (result.exitCode !== 0) throw new Error(`${failure}${firstLine(result.stderr, ': ')}`);
}

/**
 * The agent's unit: comes back whatever ends it, also where it hangs (it sets the watchdog's time itself), and leaves what it started alone when it is stopped. With glibc's own settings the heap
 * keeps what a download once took.
 */
export function agentUnit(paths: HostPaths): string {
  return `[Unit]
Description=KubeNode agent: keeps this host's components as they should be
Wants=network-online.target
After=network-online.target
StartLimitIntervalSec=0

[Service]
Environment=MALLOC_ARENA_MAX=1 MALLOC_MMAP_THRESHOLD_=32768 MALLOC_TRIM_THRESHOLD_=131072
ExecStart=${paths.current}/kubenode-agent run --config ${paths.config}
Restart=always
RestartSec=2
KillMode=process
NotifyAccess=all
WatchdogSignal=SIGKILL
OOMScoreAdjust=-900

[Install]
WantedBy=multi-user.target
`;
}
