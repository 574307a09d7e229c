import { parseUnitFile } from '../execute/look.ts';
import { sha256, unitFolder } from '../plan/goal.ts';
import type {
  Fetcher,
  Host,
  HostFacts,
  InstalledPackage,
  PackageManager,
  ProbeRequest,
  ProbeRunner,
  RunRequest,
  RunResult,
  ServiceManager,
  StagedFile,
  StageRequest,
  UnitState,
} from '../ports.ts';
import { ArtifactError } from '../host/errors.ts';
import { MemoryFiles } from './memory-files.ts';

/** A process of the memory host. */
interface Process {
  readonly pid: number;
  readonly startedAt: number;
  readonly executable: string;
  /** Its configuration, as it stood when it was started. */
  readonly read: readonly string[];
  state: string;
}

/** What a test sets on a memory host to have things go wrong. */
export interface Behaviour {
  /** Units that fall over when started. */
  readonly failing: Set<string>;
  /** Answers of commands, by the command's words joined by blanks; others succeed with no output. */
  readonly commands: Map<string, Partial<RunResult>>;
  /** Probes that fail, by command, path or port. */
  readonly failingProbes: Set<string>;
  /** Contents of artifacts by url or image: path below the target to content. */
  readonly artifacts: Map<string, Readonly<Record<string, string>>>;
  /** Debian packages that can be had, by name=version: path to content. */
  readonly debs: Map<string, Readonly<Record<string, string>>>;
}

/** A host in memory: files, units whose processes run what their unit file says, packages, artifacts. */
export class MemoryHost implements Host {
  readonly root = '';
  readonly behaviour: Behaviour = {
    failing: new Set(),
    commands: new Map(),
    failingProbes: new Set(),
    artifacts: new Map(),
    debs: new Map(),
  };
  readonly files: MemoryFiles;
  readonly services: MemoryServices;
  readonly packages: PackageManager & { readonly there: Map<string, InstalledPackage> };
  readonly fetcher: Fetcher;
  readonly probes: ProbeRunner;
  /** Everything done to the host, in order. */
  readonly effects: string[] = [];
  #boots = 1;
  /** Called before each effect; a test throws here to kill the agent. */
  onEffect: (what: string) => void = () => undefined;

  constructor(now: () => number) {
    const effect = (what: string): void => {
      this.onEffect(what);
      this.effects.push(what);
    };
    this.files = new MemoryFiles(effect);
    this.services = new MemoryServices(this.files, this.behaviour, effect, now);
    this.packages = memoryPackages(this.files, this.behaviour, effect);
    this.fetcher = { stage: (artifact, folder) => this.#stage(artifact, folder) };
    this.probes = { run: async (probe) => this.#probe(probe) };
  }

  async facts(): Promise<HostFacts> {
    return {
      os: 'linux',
      osName: 'Debian GNU/Linux',
      osVersion: '12',
      kernel: '6.1.0',
      arch: 'amd64',
      machineID: '0123456789abcdef0123456789abcdef',
      bootID: `boot-${this.#boots}`,
      hostname: 'h1',
      addresses: ['10.0.0.7'],
    };
  }
  /** Power off and on: no process is left, and what is enabled is started. */
  async boot(): Promise<void> {
    this.#boots++;
    await this.services.boot();
  }
  async executableDigest(pid: number): Promise<string | undefined> {
    return this.services.process(pid)?.executable;
  }
  async processState(pid: number): Promise<string | undefined> {
    return this.services.process(pid)?.state;
  }

  async #stage(artifact: StageRequest, folder: string): Promise<readonly StagedFile[]> {
    const address = artifact.kind === 'oci' ? artifact.image : artifact.url;
    const content = this.behaviour.artifacts.get(address);
    if (content === undefined)
      throw new ArtifactError(address, 'Unreachable', `${address} does not answer: check the address`);
    const staged: StagedFile[] = [];
    for (const [name, text] of Object.entries(content)) {
      const path = artifact.kind === 'file' ? artifact.path : `${artifact.path}/${name}`;
      await this.files.write(`${folder}/${name}`, text, { mode: 0o600 });
      staged.push({
        path,
        staged: `${folder}/${name}`,
        mode: artifact.kind === 'file' ? artifact.mode : 0o755,
        digest: sha256(text),
      });
    }
    return staged;
  }
  #probe(probe: ProbeRequest): { ok: boolean; message: string } {
    const name = probe.exec?.command.join(' ') ?? probe.httpGet?.path ?? String(probe.tcpSocket?.port);
    const ok = !this.behaviour.failingProbes.has(name);
    return { ok, message: ok ? '' : `${name} fails` };
  }
}

/** Units of a memory host. What a unit runs is what its file names; it starts when that program is there. */
export class MemoryServices implements ServiceManager {
  readonly kind = 'systemd';
  readonly enabled = new Set<string>();
  /** What programs have said, by unit. */
  readonly logs = new Map<string, string>();
  readonly #active = new Map<string, Process>();
  readonly #failed = new Set<string>();
  readonly #restarts = new Map<string, number>();
  readonly #files: MemoryFiles;
  readonly #behaviour: Behaviour;
  readonly #effect: (what: string) => void;
  readonly #now: () => number;
  readonly #watchers = new Set<(unit: string) => void>();
  #nextPid = 100;

  constructor(files: MemoryFiles, behaviour: Behaviour, effect: (what: string) => void, now: () => number) {
    this.#files = files;
    this.#behaviour = behaviour;
    this.#effect = effect;
    this.#now = now;
  }

  process(pid: number): Process | undefined {
    return [...this.#active.values()].find((process) => process.pid === pid);
  }
  pidOf(unit: string): number {
    return this.#active.get(unit)?.pid ?? 0;
  }
  /** What a person does: stop, kill, or freeze it; watchers are told, but for a freeze, of which systemd knows nothing. */
  harm(unit: string, how: 'stop' | 'fail' | 'freeze' | 'disable' | 'crash'): void {
    const process = this.#active.get(unit);
    if (how === 'freeze') {
      if (process) process.state = 'T';
      return;
    }
    if (how === 'crash') {
      // Its Restart= has it running again before anybody looks.
      this.#restarts.set(unit, (this.#restarts.get(unit) ?? 0) + 1);
      if (process) this.#active.set(unit, { ...process, pid: this.#nextPid++, startedAt: this.#now() });
    } else if (how === 'disable') this.enabled.delete(unit);
    else this.#active.delete(unit);
    if (how === 'fail') this.#failed.add(unit);
    for (const watcher of this.#watchers) watcher(unit);
  }
  /** Has a unit run as if it had been started before the agent came. */
  async runs(unit: string): Promise<void> {
    this.enabled.add(unit);
    this.#active.set(unit, await this.#spawn(unit));
  }

  async states(units: readonly string[]): Promise<ReadonlyMap<string, UnitState>> {
    return new Map(units.map((unit) => [unit, this.#state(unit)]));
  }
  async start(unit: string): Promise<void> {
    this.#effect(`start ${unit}`);
    if (this.#active.has(unit)) return;
    await this.#run(unit);
  }
  async stop(unit: string): Promise<void> {
    this.#effect(`stop ${unit}`);
    this.#active.delete(unit);
    this.#failed.delete(unit);
  }
  async restart(unit: string): Promise<void> {
    this.#effect(`restart ${unit}`);
    this.#active.delete(unit);
    await this.#run(unit);
  }
  async reload(unit: string): Promise<void> {
    this.#effect(`reload ${unit}`);
  }
  async enable(unit: string): Promise<void> {
    this.#effect(`enable ${unit}`);
    this.enabled.add(unit);
  }
  async disable(unit: string): Promise<void> {
    this.#effect(`disable ${unit}`);
    this.enabled.delete(unit);
  }
  async unmask(unit: string): Promise<void> {
    this.#effect(`unmask ${unit}`);
    if (this.#isMasked(unit)) this.#files.nodes.delete(`${unitFolder}/${unit}`);
  }
  async daemonReload(): Promise<void> {
    this.#effect('daemonReload');
  }
  async reboot(): Promise<void> {
    this.#effect('reboot');
  }
  async boot(): Promise<void> {
    this.#active.clear();
    this.#failed.clear();
    for (const unit of this.enabled) if (this.#state(unit).loadState === 'loaded') await this.#run(unit);
  }
  async lastWords(unit: string): Promise<string> {
    return this.logs.get(unit) ?? '';
  }
  watch(_units: () => readonly string[], changed: (unit: string) => void): Disposable {
    this.#watchers.add(changed);
    return { [Symbol.dispose]: () => void this.#watchers.delete(changed) };
  }
  async run(request: RunRequest): Promise<RunResult> {
    const command = request.command.join(' ');
    if (request.isolation === 'hook') this.#effect(`run ${command}`);
    return { exitCode: 0, timedOut: false, output: '', ...this.#behaviour.commands.get(command) };
  }

  async #run(unit: string): Promise<void> {
    if (this.#state(unit).loadState !== 'loaded')
      throw new Error(`unit ${unit} cannot be started: ${this.#state(unit).loadState}`);
    if (this.#behaviour.failing.has(unit)) {
      this.#failed.add(unit);
      return;
    }
    this.#failed.delete(unit);
    this.#restarts.delete(unit);
    this.#active.set(unit, await this.#spawn(unit));
  }
  async #spawn(unit: string): Promise<Process> {
    const program = parseUnitFile(this.#content(unit) ?? '').program ?? '';
    const executable = sha256(this.#files.nodes.get(program)?.content ?? '');
    const read = this.#files.fingerprint(['/var', '/opt', '/usr', '/lib']);
    return { pid: this.#nextPid++, startedAt: this.#now(), executable, read, state: 'S' };
  }
  #content(unit: string): string | undefined {
    return this.#files.text(`${unitFolder}/${unit}`) || this.#files.text(`/lib/systemd/system/${unit}`);
  }
  #isMasked(unit: string): boolean {
    return this.#files.nodes.get(`${unitFolder}/${unit}`)?.target === '/dev/null';
  }
  #state(name: string): UnitState {
    const process = this.#active.get(name);
    const masked = this.#isMasked(name);
    const content = this.#content(name);
    const loadState = masked
      ? 'masked'
      : content === undefined
        ? 'not-found'
        : content.includes('GARBAGE')
          ? 'bad-setting'
          : 'loaded';
    const activeState = process ? 'active' : this.#failed.has(name) ? 'failed' : 'inactive';
    return {
      name,
      loadState,
      activeState,
      subState: process ? 'running' : activeState === 'failed' ? 'failed' : 'dead',
      enabled: masked
        ? 'masked'
        : loadState === 'not-found'
          ? 'unknown'
          : this.enabled.has(name)
            ? 'enabled'
            : 'disabled',
      mainPID: process?.pid ?? 0,
      ...(process ? { startedAt: process.startedAt } : {}),
      restarts: this.#restarts.get(name) ?? 0,
      ...(loadState === 'bad-setting' ? { loadError: 'line 1: GARBAGE' } : {}),
    };
  }
}

function memoryPackages(
  files: MemoryFiles,
  behaviour: Behaviour,
  effect: (what: string) => void,
): PackageManager & { readonly there: Map<string, InstalledPackage> } {
  const there = new Map<string, InstalledPackage>();
  const contents = (name: string): Readonly<Record<string, string>> =>
    behaviour.debs.get(`${name}=${there.get(name)?.version ?? ''}`) ?? {};
  const remove = (name: string): void => {
    for (const path of Object.keys(contents(name))) files.nodes.delete(path);
    there.delete(name);
  };
  return {
    there,
    installed: async (name) => there.get(name),
    async install({ name, version, deb }) {
      effect(`dpkg -i ${name}=${version}`);
      await files.read(deb);
      remove(name);
      there.set(name, { version, complete: true, held: true });
      for (const [path, content] of Object.entries(contents(name))) files.harm(path, content, 0o755);
    },
    async remove(name) {
      effect(`dpkg -r ${name}`);
      remove(name);
    },
    async purge(name) {
      effect(`dpkg -P ${name}`);
      remove(name);
      return undefined;
    },
    async hold(name, held) {
      effect(`hold ${name} ${held}`);
      const known = there.get(name);
      if (known) there.set(name, { ...known, held });
    },
    async fetch({ name, version }, folder) {
      if (!behaviour.debs.has(`${name}=${version}`))
        throw new Error(`package ${name} ${version} cannot be had`);
      const deb = `${folder}/${name}.deb`;
      await files.write(deb, `${name}=${version}`, { mode: 0o600 });
      return deb;
    },
    verify: async (name) =>
      Object.entries(contents(name)).flatMap(([path, content]) =>
        files.text(path) === content ? [] : [path],
      ),
    files: async (name) => Object.keys(contents(name)),
  };
}
