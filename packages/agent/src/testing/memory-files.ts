import { sha256 } from '../plan/goal.ts';
import type { FileState, HostFiles } from '../ports.ts';

interface Node {
  kind: 'file' | 'symlink';
  content: Buffer;
  target: string;
  mode: number;
  uid: number;
  gid: number;
}
type Effect = (what: string) => void;

/** A file system in memory, with the same promises as the real one. Every change of it is announced to `effect` before it is made. */
export class MemoryFiles implements HostFiles {
  readonly nodes = new Map<string, Node>();
  readonly folders = new Set<string>();
  readonly #effect: Effect;
  readonly #watchers = new Set<{ paths: () => readonly string[]; changed: (path: string) => void }>();

  constructor(effect: Effect = () => undefined) {
    this.#effect = effect;
  }

  /** What a person does to a file behind the agent's back; no effect is announced, watchers are told. */
  harm(path: string, content: string | undefined, mode = 0o644): void {
    if (content === undefined) this.nodes.delete(path);
    else this.#put(path, { kind: 'file', content: Buffer.from(content), target: '', mode, uid: 0, gid: 0 });
    this.#hint(path);
  }
  /** A link that a person made. */
  harmLink(path: string, target: string): void {
    this.#put(path, { kind: 'symlink', content: Buffer.alloc(0), target, mode: 0o777, uid: 0, gid: 0 });
    this.#hint(path);
  }
  text(path: string): string | undefined {
    return this.nodes.get(path)?.content.toString('utf8');
  }
  /** Everything but what lies below these folders, as comparable lines. */
  fingerprint(except: readonly string[] = []): readonly string[] {
    return [...this.nodes]
      .filter(([path]) => !except.some((folder) => path.startsWith(`${folder}/`)))
      .map(
        ([path, { kind, content, target, mode, uid, gid }]) =>
          `${path} ${kind} ${mode.toString(8)} ${uid}:${gid} ${target}${sha256(content)}`,
      )
      .toSorted();
  }

  async state(path: string): Promise<FileState | undefined> {
    const node = this.nodes.get(path);
    if (node === undefined)
      return this.#isFolder(path) ? { kind: 'directory', mode: 0o755, uid: 0, gid: 0, size: 0 } : undefined;
    const { kind, mode, uid, gid, content, target } = node;
    const common = { kind, mode, uid, gid, size: content.length };
    return kind === 'file' ? { ...common, digest: sha256(content) } : { ...common, target };
  }
  async read(path: string): Promise<Buffer> {
    const node = this.nodes.get(path);
    if (node?.kind !== 'file') throw new Error(`ENOENT: ${path}`);
    return node.content;
  }
  async write(
    path: string,
    content: Buffer | string,
    options: { mode: number; owner?: string },
  ): Promise<void> {
    this.#effect(`write ${path}`);
    const [uid = 0, gid = 0] = (options.owner ?? '').split(':').map((id) => Number(id) || 0);
    this.#put(path, {
      kind: 'file',
      content: Buffer.from(content),
      target: '',
      mode: options.mode,
      uid,
      gid,
    });
    this.#hint(path);
  }
  async install(from: string, to: string, options: { mode: number; owner?: string }): Promise<void> {
    await this.write(to, await this.read(from), options);
  }
  async symlink(target: string, path: string): Promise<void> {
    this.#effect(`symlink ${path}`);
    this.harmLink(path, target);
  }
  async move(from: string, to: string): Promise<boolean> {
    const node = this.nodes.get(from);
    if (node === undefined) return false;
    this.#effect(`move ${from} ${to}`);
    this.nodes.delete(from);
    this.#put(to, node);
    return true;
  }
  async remove(path: string): Promise<void> {
    this.#effect(`remove ${path}`);
    for (const known of this.nodes.keys())
      if (known === path || known.startsWith(`${path}/`)) this.nodes.delete(known);
    for (const known of this.folders)
      if (known === path || known.startsWith(`${path}/`)) this.folders.delete(known);
    this.#hint(path);
  }
  async list(path: string): Promise<readonly string[]> {
    const names = [...this.nodes.keys(), ...this.folders].filter((known) => known.startsWith(`${path}/`));
    return [...new Set(names.map((known) => known.slice(path.length + 1).split('/')[0] ?? ''))].toSorted();
  }
  async setMode(path: string, mode: number, owner?: string): Promise<void> {
    this.#effect(`setMode ${path}`);
    const node = this.nodes.get(path);
    if (node === undefined) throw new Error(`ENOENT: ${path}`);
    node.mode = mode;
    if (owner !== undefined) [node.uid = 0, node.gid = 0] = owner.split(':').map((id) => Number(id) || 0);
    this.#hint(path);
  }
  watch(paths: () => readonly string[], changed: (path: string) => void): Disposable & { refresh(): void } {
    const watcher = { paths, changed };
    this.#watchers.add(watcher);
    return { refresh: () => undefined, [Symbol.dispose]: () => void this.#watchers.delete(watcher) };
  }
  async free(): Promise<number> {
    return 1e12;
  }
  forgetDigests(): void {
    // Digests are not kept here.
  }

  #isFolder(path: string): boolean {
    return this.folders.has(path) || [...this.nodes.keys()].some((known) => known.startsWith(`${path}/`));
  }
  #put(path: string, node: Node): void {
    for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1))
      this.folders.add(path.slice(0, end));
    this.nodes.set(path, node);
  }
  #hint(path: string): void {
    for (const { paths, changed } of this.#watchers) if (paths().includes(path)) changed(path);
  }
}
