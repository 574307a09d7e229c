/**
 * What the agent's brain (plan, execute, observe) asks of the host. Every implementation lives under `host/`; tests of the brain
 * use fakes of these interfaces, so that no unit test needs root. All paths are absolute host paths; an implementation with a root
 * folder (local hosts of the demo) puts its root in front.
 */

/** A running state as systemd tells it; the built-in supervisor uses the same words. */
export interface UnitState {
  readonly name: string;
  readonly loadState: 'loaded' | 'not-found' | 'masked' | 'error' | 'bad-setting';
  readonly activeState: 'active' | 'reloading' | 'inactive' | 'failed' | 'activating' | 'deactivating';
  readonly subState: string;
  /** Judged from the files under /etc and /run, since systemd's own answer misses a mask made by hand until a reload. */
  readonly enabled: 'enabled' | 'disabled' | 'static' | 'masked' | 'unknown';
  /** 0 when no process runs. */
  readonly mainPID: number;
  /** When the main process started, epoch milliseconds; undefined when none runs. */
  readonly startedAt?: number;
  /** How often the manager has started it again by itself since somebody started it; undefined where it does not say. */
  readonly restarts?: number;
  /** Error text of systemd for a unit that does not parse. */
  readonly loadError?: string;
}

/** systemd, or the built-in supervisor where there is none. */
export interface ServiceManager {
  readonly kind: 'systemd' | 'supervisor';
  states(units: readonly string[]): Promise<ReadonlyMap<string, UnitState>>;
  /** Resolves when the job has ended; rejects with ServiceError naming unit and result. */
  start(unit: string, timeoutMs: number): Promise<void>;
  stop(unit: string, timeoutMs: number): Promise<void>;
  restart(unit: string, timeoutMs: number): Promise<void>;
  reload(unit: string, timeoutMs: number): Promise<void>;
  /** Makes the links of [Install], durably. Like disable and unmask it changes files alone, which the manager reads by daemonReload. */
  enable(unit: string): Promise<void>;
  disable(unit: string): Promise<void>;
  /** Removes a mask wherever it stands. */
  unmask(unit: string): Promise<void>;
  /**
   * Has the manager read its files again. Costs a tenth of a second of a core: every generator of the host runs.
   * @param keeping unit whose links have changed: systemd may lose one that runs by that (see left-overs.ts), and it is started again then.
   */
  daemonReload(keeping?: string): Promise<void>;
  /** Has the host shut down in order and boot again; resolves when that is under way. Absent where the manager cannot. */
  reboot?(): Promise<void>;
  /** The last lines of the unit's log between two times, epoch milliseconds; '' where there are none. Absent where no log is kept. */
  lastWords?(unit: string, since: number, until?: number): Promise<string>;
  /** Calls back when one of the watched units changed, coalesced; a hint and no truth. */
  watch(units: () => readonly string[], changed: (unit: string) => void): Disposable;
  /** Runs one command to its end under limits, without the agent's credentials. Output is the last 4 KiB of both streams. */
  run(command: RunRequest): Promise<RunResult>;
}
export interface RunRequest {
  readonly command: readonly string[];
  readonly timeoutMs: number;
  readonly env?: Readonly<Record<string, string>>;
  /** Hooks get limits of memory and tasks and no view of /etc/kubenode and the agent's state. Probes and version checks are plain. */
  readonly isolation: 'hook' | 'plain';
}
export interface RunResult {
  readonly exitCode: number;
  readonly timedOut: boolean;
  readonly output: string;
}

export interface FileState {
  readonly kind: 'file' | 'directory' | 'symlink' | 'other';
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  /** sha256:<hex> of the content of a plain file. Answered from a cache keyed by dev, ino, size, mtime, ctime, mode, uid and gid. */
  readonly digest?: string;
  readonly target?: string;
}
export interface HostFiles {
  /** undefined where nothing is. */
  state(path: string): Promise<FileState | undefined>;
  read(path: string): Promise<Buffer>;
  /** Temporary file beside it, mode and owner before data, fsync, rename, fsync of the directory. Parent folders are made. */
  write(path: string, content: Buffer | string, options: { mode: number; owner?: string }): Promise<void>;
  /** Copies a file that is on the host, same guarantees. */
  install(from: string, to: string, options: { mode: number; owner?: string }): Promise<void>;
  symlink(target: string, path: string): Promise<void>;
  /** Gives a file another name in one step; false where nothing is there, so that of two who try one has it. Both names in one folder, which is fsynced. */
  move(from: string, to: string): Promise<boolean>;
  /** Also of a folder, with what is in it; nothing there is no error. Directory is fsynced. */
  remove(path: string): Promise<void>;
  list(path: string): Promise<readonly string[]>;
  setMode(path: string, mode: number, owner?: string): Promise<void>;
  /** Hints of changes below the parents of these paths, coalesced within a few milliseconds. */
  watch(paths: () => readonly string[], changed: (path: string) => void): Disposable & { refresh(): void };
  /** Bytes free for the file system that holds the path. */
  free(path: string): Promise<number>;
  /** Forgets the cached digests of this path, or all: a write through mmap leaves every stat field as it was. For the daily full check. */
  forgetDigests(path?: string): void;
}

/** A staged artifact: everything verified, nothing of it in use yet. */
export interface StagedFile {
  /** Where it belongs on the host. */
  readonly path: string;
  /** Where it lies now. Absent for symlinks. */
  readonly staged?: string;
  readonly target?: string;
  readonly mode: number;
  readonly digest?: string;
}
export interface Fetcher {
  /**
   * Downloads into `folder` (resumed where a part lies there, retried with jitter, free space asked first), verifies the digest, and
   * unpacks archives and OCI layers (gzip, zstd where the runtime has it, plain tar; no entry may leave the target: absolute names, `..`,
   * links out of it, devices are ArtifactError). Throws ArtifactError, whose text names the address and what to do.
   */
  stage(artifact: StageRequest, folder: string, signal: AbortSignal): Promise<readonly StagedFile[]>;
}
export type StageRequest =
  | { readonly kind: 'archive'; readonly url: string; readonly digest: string; readonly path: string }
  | {
      readonly kind: 'file';
      readonly url: string;
      readonly digest: string;
      readonly path: string;
      readonly mode: number;
    }
  | { readonly kind: 'oci'; readonly image: string; readonly path: string };

/** Debian packages. */
export interface PackageManager {
  /** undefined: not installed (or only its config files remain). */
  installed(name: string): Promise<InstalledPackage | undefined>;
  /** Mends an interrupted dpkg first; installs the verified .deb, keeps config files, starts no service, holds the package. */
  install(request: { name: string; version: string; deb: string }): Promise<void>;
  remove(name: string): Promise<void>;
  /**
   * Takes the package away, and with it its configuration and data where nobody changed that configuration. `ours` are paths that the
   * caller takes away itself. Resolves with why configuration stays; undefined where nothing of the package is left.
   */
  purge(name: string, ours: readonly string[]): Promise<string | undefined>;
  hold(name: string, held: boolean): Promise<void>;
  /** Fetches the .deb from url or, without one, through the host's apt, verifies digest and name and version, returns its path in folder. */
  fetch(
    request: { name: string; version: string; digest: string; url?: string },
    folder: string,
    signal: AbortSignal,
  ): Promise<string>;
  /** Paths of the package whose content is not what the package brought (dpkg --verify), config files left out. */
  verify(name: string): Promise<readonly string[]>;
  files(name: string): Promise<readonly string[]>;
}
export interface InstalledPackage {
  readonly version: string;
  /** `ii` in dpkg's words: unpacked and configured. */
  readonly complete: boolean;
  readonly held: boolean;
}

export interface ProbeRunner {
  /** One attempt of one probe. */
  run(probe: ProbeRequest): Promise<{ ok: boolean; message: string }>;
}
export interface ProbeRequest {
  readonly timeoutMs: number;
  readonly exec?: { readonly command: readonly string[] };
  readonly httpGet?: {
    readonly host?: string;
    readonly port: number;
    readonly path?: string;
    readonly scheme?: 'HTTP' | 'HTTPS';
  };
  readonly tcpSocket?: { readonly host?: string; readonly port: number };
}

/** Facts of the host, read once at start and when a boot changes. */
export interface HostFacts {
  readonly os: string;
  readonly osName: string;
  readonly osVersion: string;
  readonly kernel: string;
  /** Go's words: amd64, arm64. */
  readonly arch: string;
  readonly machineID: string;
  readonly bootID: string;
  readonly hostname: string;
  readonly addresses: readonly string[];
}

export interface Host {
  /** '' on a real host; the folder of a local host of the demo. */
  readonly root: string;
  readonly services: ServiceManager;
  readonly files: HostFiles;
  readonly packages: PackageManager | undefined;
  readonly fetcher: Fetcher;
  readonly probes: ProbeRunner;
  facts(): Promise<HostFacts>;
  /** What a process really runs: the digest of /proc/PID/exe, undefined if there is no such process. */
  executableDigest(pid: number): Promise<string | undefined>;
  /** State letter of /proc/PID/stat: T is stopped. */
  processState(pid: number): Promise<string | undefined>;
}
