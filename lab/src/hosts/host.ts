import { existsSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { identify, isAlive, startDetached, waitUntil } from '../system/processes.ts';
import { run, type RunOptions, tryRun } from '../system/run.ts';
import {
  cpuSecondsOf,
  groupsOf,
  killGroup,
  makeGroup,
  processesIn,
  removeGroup,
  setFrozen,
} from './cgroups.ts';
import { diskFolder, dropUnsynced } from './disk.ts';
import { containerdFolder, mountRoot, rootFolder, upperFolder } from './filesystem.ts';
import { unmountBelow } from './mounts.ts';
import { setUpNetwork } from './network.ts';
import { ensureRoot } from './root.ts';
import { raise, watches } from './settings.ts';
import {
  bridgeName,
  groupName,
  type HostState,
  hostFolder,
  interfaceName,
  type LabState,
  machineName,
  register,
  writeState,
} from './state.ts';

/**
 * What can be done to a host's power. `off` is pulling the plug (no process gets a signal it could act on), `shutdown` asks the system to
 * power off and pulls the plug after 20 s, `reset` is `off` and `on`. `outage` is `off` with all gone that was not synced to disk, which
 * `off` keeps, since this machine's kernel lives on; the host needs `ownDisk`. `freeze` stops every process of the host where it is, ssh
 * too.
 */
export type PowerAction = 'on' | 'off' | 'shutdown' | 'reset' | 'outage' | 'freeze' | 'thaw';

/** `cut` takes the host off the network (both directions, no message); `join` brings it back. A host that boots is joined. */
export type NetworkAction = 'cut' | 'join';

export interface ExecOptions extends Pick<RunOptions, 'stdin' | 'timeoutMs'> {
  /** Set beside PATH, HOME and LANG, which are all else that a command finds. */
  env?: Readonly<Record<string, string>>;
  /** Returns a status other than 0 instead of throwing. */
  allowFailure?: boolean;
}

export interface ExecResult {
  code: number;
  stdout: string;
  stderr: string;
}

/** A command in a host ended with another status than 0. */
export class HostCommandError extends Error {
  override readonly name = 'HostCommandError';
  readonly host: string;
  readonly result: ExecResult;
  constructor(host: string, command: readonly string[], result: ExecResult) {
    super(`${host}: ${command.join(' ')}: status ${result.code}\n${(result.stderr || result.stdout).trim()}`);
    this.host = host;
    this.result = result;
  }
}

const script = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

/** A host of a lab: a booted Debian with systemd, its own network address, and sshd that lets root in by the lab's key. */
export class LabHost {
  readonly name: string;
  readonly address: string;
  /** The public ssh host key, `ssh-ed25519 AAAA...`: what an import's `hostKey` must be. */
  readonly hostKey: string;
  /** The private key file that root's login takes; one for the whole lab. */
  readonly sshKey: string;
  /** The host's root as this machine sees it. Write here only what no process of the host writes at the same time. */
  readonly rootfs: string;
  /** Of that, what is not of the root that all hosts share: changed and new files, and a device 0:0 for each that was taken away. */
  readonly ownFiles: string;
  readonly #lab: LabState;
  readonly #state: HostState;

  constructor(lab: LabState, state: HostState) {
    this.name = state.name;
    this.address = state.address;
    this.hostKey = state.hostKey;
    this.sshKey = join(lab.dir, 'id_ed25519');
    this.rootfs = rootFolder(lab.dir, state.name);
    this.ownFiles = upperFolder(lab.dir, state);
    this.#lab = lab;
    this.#state = state;
  }

  /** Whether the host is on: its process 1 runs (it may be frozen). */
  get isOn(): boolean {
    return this.leader() !== undefined;
  }

  /**
   * Runs a command in the host as root, not by ssh: it works on a host that is cut off, too.
   * @throws HostCommandError for another status than 0 (see `allowFailure`); Error where the host is off.
   */
  async exec(command: readonly string[], options: ExecOptions = {}): Promise<ExecResult> {
    const leader = this.leader();
    if (leader === undefined)
      throw new Error(`${this.name} is off: power it on before running ${command[0]} in it.`);
    const env = {
      PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      HOME: '/root',
      LANG: 'C.UTF-8',
      ...options.env,
    };
    const enter = ['/bin/sh', script('./enter-host.sh'), String(leader), ...groupsOf(this.#group).exec, '--'];
    const id = identify(leader);
    const settings = Object.entries(env).map(([name, value]) => `${name}=${value}`);
    const result = await tryRun([...enter, 'env', '-i', ...settings, ...command], {
      ...(options.stdin === undefined ? {} : { stdin: options.stdin }),
      ...(options.timeoutMs === undefined ? {} : { timeoutMs: options.timeoutMs }),
      // A host that goes down stops all its processes before it kills them; nsenter stops with its child, and would wait for ever.
      ownGroup: true,
      shownAs: [`${this.name}:`, ...command],
      killWhen: () => id === undefined || !isAlive(id),
    });
    if (result.code !== 0 && options.allowFailure !== true)
      throw new HostCommandError(this.name, command, result);
    return result;
  }

  /** The command that logs in as root over ssh, checked against the host's own key; append what to run. */
  sshCommand(): string[] {
    const options = [
      `UserKnownHostsFile=${join(this.#lab.dir, 'known_hosts')}`,
      'StrictHostKeyChecking=yes',
      'BatchMode=yes',
      'LogLevel=ERROR',
    ];
    return ['ssh', '-i', this.sshKey, ...options.flatMap((option) => ['-o', option]), `root@${this.address}`];
  }

  /** Changes the host's power; what it is already is no error. `on` and `reset` resolve when ssh answers. */
  async power(action: PowerAction): Promise<void> {
    switch (action) {
      case 'on':
        await this.start();
        return await this.waitReady();
      case 'off':
        return await this.#cutPower();
      case 'shutdown':
        return await this.#shutDown();
      case 'reset':
        await this.#cutPower();
        await this.start();
        return await this.waitReady();
      case 'outage':
        return await this.#loseUnsynced();
      case 'freeze':
        return await setFrozen(this.#group, true);
      case 'thaw':
        return await setFrozen(this.#group, false);
    }
  }

  /** Cuts the host off the network, or joins it again. */
  async net(action: NetworkAction): Promise<void> {
    await run([
      'ip',
      'link',
      'set',
      interfaceName(this.#lab.id, this.#state.index),
      action === 'cut' ? 'down' : 'up',
    ]);
    // This machine remembers for a while that nobody answered there.
    if (action === 'join')
      await run(['ip', 'neighbour', 'flush', 'dev', bridgeName(this.#lab.id), 'to', this.address]);
  }

  /** Resolves when systemd has finished booting and ssh answers. @throws Error after the deadline, with what failed. */
  async waitReady(deadlineMs = 60_000): Promise<void> {
    let last: unknown;
    const booted = await waitUntil(async () => {
      if (this.leader() === undefined) return false;
      // `--wait` returns when booting is over; before systemd's socket is there it fails at once.
      const result = await this.exec(['systemctl', 'is-system-running', '--wait'], {
        allowFailure: true,
        timeoutMs: deadlineMs,
      }).catch((error: unknown) => {
        last = error;
        return undefined;
      });
      return result !== undefined && ['running', 'degraded'].includes(result.stdout.trim());
    }, deadlineMs);
    if (!booted)
      throw new Error(
        `${this.name} didn't finish booting in ${deadlineMs / 1000} s; see ${this.consoleLog}.`,
        { cause: last },
      );
    if (!(await waitUntil(() => answers(this.address, 22), deadlineMs)))
      throw new Error(`${this.name} (${this.address}) booted, but ssh doesn't answer.`);
  }

  /** What systemd prints while the host boots. */
  get consoleLog(): string {
    return join(hostFolder(this.#lab.dir, this.name), 'console.log');
  }

  /** Starts the host; resolves before it has booted. */
  async start(): Promise<void> {
    const { runner } = this.#state;
    if (this.isOn || (runner !== undefined && isAlive(runner))) return;
    // After a restart of this machine the bridge is gone.
    await setUpNetwork(this.#lab);
    await raise(watches, 4096);
    await register(this.#lab);
    await mountRoot(this.#lab, this.#state, await ensureRoot(() => {}));
    const groups = await makeGroup(this.#group);
    this.#state.runner = await startDetached(
      ['/bin/sh', script('./run-host.sh'), ...groups.runner, '--', ...groups.host, '--', ...this.#nspawn()],
      {
        logFile: this.consoleLog,
        env: { SYSTEMD_NSPAWN_API_VFS_WRITABLE: this.#state.kubelet ? 'yes' : undefined },
      },
    );
    await writeState(this.#lab);
  }

  /** Processor time that all processes of the host have used since its power was last switched on, in seconds. */
  async cpuSeconds(): Promise<number> {
    return await cpuSecondsOf(this.#group);
  }

  /** The process number, on this machine, of the host's process 1. */
  leader(): number | undefined {
    for (const pid of processesIn(this.#group)) {
      try {
        // Two numbers, the inner one 1: process 1 of a namespace right below this one, and not of a container in the host.
        if (/^NSpid:\t\d+\t1$/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))) return pid;
      } catch {
        // It ended meanwhile.
      }
    }
    return undefined;
  }

  get #group(): string {
    return groupName(this.#lab.id, this.#state.index);
  }

  async #cutPower(): Promise<void> {
    await killGroup(this.#group);
    await this.#removeInterface();
    await removeGroup(this.#group);
    delete this.#state.runner;
    await writeState(this.#lab);
  }

  /** The kernel takes a while to take it away by itself, and the host could not be started meanwhile. */
  async #removeInterface(): Promise<void> {
    const name = interfaceName(this.#lab.id, this.#state.index);
    const gone = await waitUntil(async () => {
      if (!existsSync(`/sys/class/net/${name}`)) return true;
      await run(['ip', 'link', 'delete', name]).catch(() => {});
      return false;
    }, 15_000);
    if (!gone) throw new Error(`The interface ${name} of ${this.name} can't be removed.`);
  }

  async #loseUnsynced(): Promise<void> {
    if (this.#state.ownDisk !== true)
      throw new Error(`${this.name} can't lose what is not synced: make its lab with ownDisk for it.`);
    const folder = hostFolder(this.#lab.dir, this.name);
    await dropUnsynced(folder);
    await this.#cutPower();
    await unmountBelow(this.rootfs);
    await unmountBelow(diskFolder(folder));
  }

  async #shutDown(): Promise<void> {
    const leader = this.leader();
    const { runner } = this.#state;
    if (leader !== undefined && runner !== undefined) {
      // systemd's SIGRTMIN+4: power off. Node has no name for it; glibc's SIGRTMIN is 34.
      process.kill(leader, 38);
      // Powering off can hang while pods still run.
      await waitUntil(() => !isAlive(runner), 20_000);
    }
    await this.#cutPower();
  }

  #nspawn(): string[] {
    const { id, dir } = this.#lab;
    const { index, kubelet, binds } = this.#state;
    const basic = [
      '--boot',
      '--register=no',
      '--keep-unit',
      '--console=pipe',
      '--link-journal=no',
      '--quiet',
      '--resolv-conf=off',
      '--timezone=off',
    ];
    const named = [
      '-D',
      this.rootfs,
      '-M',
      machineName(id, index),
      `--hostname=${this.name}`,
      `--network-bridge=${bridgeName(id)}`,
    ];
    // What a kubelet and containerd need of a machine: every capability, keyrings, bpf, mounts, the kernel's log.
    const forKubelet = [
      '--capability=all',
      '--system-call-filter=@keyring bpf perf_event_open @mount keyctl add_key',
      '--bind=/dev/kmsg',
      `--bind=${containerdFolder(dir, this.name)}:/var/lib/containerd`,
    ];
    const bound = binds.map(({ source, target }) => `--bind=${source}:${target}`);
    return ['systemd-nspawn', ...basic, ...named, ...(kubelet ? forKubelet : []), ...bound];
  }
}

/** Whether something takes a connection there within 200 ms. */
async function answers(address: string, port: number): Promise<boolean> {
  return await new Promise<boolean>((resolve) => {
    const socket = connect({ host: address, port, timeout: 200 });
    const finish = (reached: boolean): void => {
      socket.destroy();
      resolve(reached);
    };
    socket.once('connect', () => finish(true));
    socket.once('timeout', () => finish(false));
    socket.once('error', () => finish(false));
  });
}
