import { chmodSync } from 'node:fs';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import type { KubeObject } from '../object.ts';
import type { Change, ChangeType, Listener } from './change.ts';

/** What a list answers: raw JSON bodies in key order, and where it stands. */
export interface Page {
  rows: Row[];
  /** The commit that the list shows. */
  rv: number;
  /** Key of the last row when there is more after it. */
  last: string | undefined;
  remaining: number;
}

export interface Row {
  namespace: string;
  name: string;
  body: Uint8Array;
}

export interface ListOptions {
  namespace?: string | undefined;
  /** One object only. Costs one look-up where the namespace is given too (the empty one for cluster-scoped resources). */
  name?: string | undefined;
  /** Key after which to start, from an earlier `Page.last`. */
  after?: string | undefined;
  limit?: number | undefined;
  /** The commit to show; absent: the newest. */
  at?: number | undefined;
}

/** Thrown where a commit is asked for that history no longer reaches. */
export class Compacted extends Error {
  readonly oldest: number;
  constructor(oldest: number) {
    super(`history before commit ${oldest} is gone`);
    this.oldest = oldest;
  }
}

/** Reads and writes inside one atomic step. Nothing in it may wait. */
export interface Transaction {
  get(resource: string, namespace: string, name: string): KubeObject | undefined;
  /** Stores `object`; sets its `metadata.resourceVersion` to the commit that this becomes. */
  put(resource: string, object: KubeObject): KubeObject;
  remove(resource: string, object: KubeObject): KubeObject;
}

interface Pending {
  resolve(): void;
  reject(error: unknown): void;
}

const SEPARATOR = '\u0000';
/** History is kept this long (ms), so that watches resume and lists page on; kube-apiserver compacts etcd every 5 minutes. */
export const HISTORY_MS = 5 * 60_000;
/** And at most this many changes, so that a busy server's file stays in bounds. */
const HISTORY_ROWS = 50_000;

const SCHEMA = `
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
PRAGMA busy_timeout = 5000;
PRAGMA wal_autocheckpoint = 2000;
CREATE TABLE IF NOT EXISTS objects (
  resource TEXT NOT NULL, key TEXT NOT NULL, body BLOB NOT NULL,
  PRIMARY KEY (resource, key)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS changes (
  rv INTEGER PRIMARY KEY AUTOINCREMENT, resource TEXT NOT NULL, key TEXT NOT NULL, type TEXT NOT NULL,
  at INTEGER NOT NULL, body BLOB NOT NULL, prev BLOB);
CREATE INDEX IF NOT EXISTS changes_by_resource ON changes (resource, rv);
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
`;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Key order is that of `namespace/name`, as in etcd. */
export function keyOf(namespace: string, name: string): string {
  return `${namespace}${SEPARATOR}${name}`;
}

function split(key: string): [string, string] {
  const at = key.indexOf(SEPARATOR);
  return [key.slice(0, at), key.slice(at + 1)];
}

export function parse(body: Uint8Array): KubeObject {
  return JSON.parse(decoder.decode(body)) as KubeObject;
}

/**
 * Objects in one SQLite file. One counter numbers every change and is the resourceVersion of what it wrote. Steps that
 * arrive together share one commit; each is answered, and shown to watchers, only once that commit is on disk.
 */
export class Store {
  readonly #writer: DatabaseSync;
  readonly #reader: DatabaseSync;
  readonly #clock: () => number;
  readonly #statements: Record<
    'wget' | 'put' | 'del' | 'change' | 'get' | 'page' | 'pageNs' | 'count' | 'countNs' | 'since' | 'undo',
    StatementSync
  >;
  #rv = 0;
  #committed = 0;
  #oldest = 0;
  #open = false;
  #pending: Pending[] = [];
  #changes: Change[] = [];
  readonly #listeners = new Set<Listener>();
  #closed = false;

  /** Opens or makes the file. `clock` gives milliseconds. */
  constructor(file: string, clock: () => number = Date.now) {
    this.#clock = clock;
    this.#writer = new DatabaseSync(file);
    this.#writer.exec(SCHEMA);
    chmodSync(file, 0o600);
    this.#reader = new DatabaseSync(file, { readOnly: true });
    const w = (sql: string): StatementSync => this.#writer.prepare(sql);
    const r = (sql: string): StatementSync => this.#reader.prepare(sql);
    this.#statements = {
      wget: w('SELECT body FROM objects WHERE resource = ? AND key = ?'),
      put: w(
        'INSERT INTO objects (resource, key, body) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET body = excluded.body',
      ),
      del: w('DELETE FROM objects WHERE resource = ? AND key = ?'),
      change: w('INSERT INTO changes (rv, resource, key, type, at, body, prev) VALUES (?, ?, ?, ?, ?, ?, ?)'),
      get: r('SELECT body FROM objects WHERE resource = ? AND key = ?'),
      page: r('SELECT key, body FROM objects WHERE resource = ? AND key > ? ORDER BY key LIMIT ?'),
      pageNs: r(
        'SELECT key, body FROM objects WHERE resource = ? AND key > ? AND key < ? ORDER BY key LIMIT ?',
      ),
      count: r('SELECT count(*) AS n FROM objects WHERE resource = ? AND key > ?'),
      countNs: r('SELECT count(*) AS n FROM objects WHERE resource = ? AND key > ? AND key < ?'),
      since: r('SELECT rv, key, type, body, prev FROM changes WHERE resource = ? AND rv > ? ORDER BY rv'),
      undo: r('SELECT key, prev, min(rv) AS rv FROM changes WHERE resource = ? AND rv > ? GROUP BY key'),
    };
    const seq = this.#writer.prepare("SELECT seq FROM sqlite_sequence WHERE name = 'changes'").get();
    this.#rv = Number(seq?.['seq'] ?? 0);
    this.#committed = this.#rv;
    const oldest = this.#writer.prepare("SELECT value FROM meta WHERE key = 'oldest'").get();
    this.#oldest = Number(oldest?.['value'] ?? 0);
  }

  /** The newest commit on disk. */
  get rv(): number {
    return this.#committed;
  }

  /** Changes after this commit can be replayed; a watch from an older one is 410. */
  get oldest(): number {
    return this.#oldest;
  }

  /** Calls `listener` for each change, in order, once it is on disk. Returns what ends it. */
  subscribe(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  get(resource: string, namespace: string, name: string): Uint8Array | undefined {
    return this.#statements.get.get(resource, keyOf(namespace, name))?.['body'] as Uint8Array | undefined;
  }

  read(resource: string, namespace: string, name: string): KubeObject | undefined {
    const body = this.get(resource, namespace, name);
    return body && parse(body);
  }

  /** Every object of a resource, parsed. For what is few: policies, roles, definitions. */
  all(resource: string, namespace?: string): KubeObject[] {
    return this.list(resource, { namespace }).rows.map((row) => parse(row.body));
  }

  /** @throws Compacted when `at` is older than history. */
  list(resource: string, options: ListOptions = {}): Page {
    const from = options.namespace === undefined ? '' : keyOf(options.namespace, '');
    const to = options.namespace === undefined ? undefined : `${options.namespace}\u0001`;
    const after = options.after !== undefined && options.after > from ? options.after : from;
    const at = options.at ?? this.#committed;
    const { name, namespace } = options;
    if (name !== undefined && namespace !== undefined && at >= this.#committed) {
      const body = this.get(resource, namespace, name);
      return { rows: body ? [{ namespace, name, body }] : [], rv: at, last: undefined, remaining: 0 };
    }
    const rows =
      at < this.#committed
        ? this.#past(resource, after, to, at)
        : this.#now(resource, after, to, options.limit ? options.limit + 1 : -1);
    const over = options.limit !== undefined && options.limit > 0 && rows.length > options.limit;
    if (!over) return { rows, rv: at, last: undefined, remaining: 0 };
    const page = rows.slice(0, options.limit);
    const end = page.at(-1);
    const last = end && keyOf(end.namespace, end.name);
    const remaining =
      at < this.#committed ? rows.length - page.length : this.#count(resource, last ?? '', to);
    return { rows: page, rv: at, last, remaining };
  }

  #now(resource: string, after: string, to: string | undefined, limit: number): Row[] {
    const found =
      to === undefined
        ? this.#statements.page.all(resource, after, limit)
        : this.#statements.pageNs.all(resource, after, to, limit);
    return found.map((row) => {
      const [namespace, name] = split(row['key'] as string);
      return { namespace, name, body: row['body'] as Uint8Array };
    });
  }

  /** The state at an older commit: what is now, with every later change undone. */
  #past(resource: string, after: string, to: string | undefined, at: number): Row[] {
    if (at < this.#oldest) throw new Compacted(this.#oldest);
    const undo = new Map<string, Uint8Array | null>();
    for (const row of this.#statements.undo.all(resource, at)) {
      undo.set(row['key'] as string, row['prev'] as Uint8Array | null);
    }
    const rows = this.#now(resource, after, to, -1).filter(
      (row) => !undo.has(keyOf(row.namespace, row.name)),
    );
    for (const [key, body] of undo) {
      if (body === null || key <= after || (to !== undefined && key >= to)) continue;
      const [namespace, name] = split(key);
      rows.push({ namespace, name, body });
    }
    return rows.sort((a, b) => (keyOf(a.namespace, a.name) < keyOf(b.namespace, b.name) ? -1 : 1));
  }

  #count(resource: string, after: string, to: string | undefined): number {
    const row =
      to === undefined
        ? this.#statements.count.get(resource, after)
        : this.#statements.countNs.get(resource, after, to);
    return Number(row?.['n'] ?? 0);
  }

  /** Changes after `rv`, oldest first. @throws Compacted when history no longer reaches back to it. */
  since(resource: string, rv: number): Change[] {
    if (rv < this.#oldest) throw new Compacted(this.#oldest);
    return this.#statements.since.all(resource, rv).map((row) => {
      const [namespace, name] = split(row['key'] as string);
      const prev = row['prev'] as Uint8Array | null;
      return {
        rv: row['rv'] as number,
        resource,
        namespace,
        name,
        type: row['type'] as ChangeType,
        body: row['body'] as Uint8Array,
        object: parse(row['body'] as Uint8Array),
        previous: prev === null ? undefined : parse(prev),
      };
    });
  }

  /**
   * Runs `step` at once and alone, and resolves when what it wrote is on disk. When it throws, nothing of it is
   * written. The result may be used only after the promise is resolved.
   */
  async write<T>(step: (tx: Transaction) => T): Promise<T> {
    if (this.#closed) throw new Error('the store is closed');
    this.#begin();
    const staged: Change[] = [];
    const start = this.#rv;
    let result: T;
    try {
      result = step(this.#transaction(staged));
    } catch (error) {
      this.#rv = start;
      throw error;
    }
    if (staged.length === 0) {
      // What was read may not be on disk yet, and must be before anyone is told of it.
      if (this.#changes.length > 0) await this.#durable();
      return result;
    }
    try {
      for (const change of staged) this.#insert(change);
    } catch (error) {
      this.#abort(error);
      throw error;
    }
    this.#changes.push(...staged);
    await this.#durable();
    return result;
  }

  #durable(): Promise<void> {
    return new Promise((resolve, reject) => this.#pending.push({ resolve, reject }));
  }

  #transaction(staged: Change[]): Transaction {
    const current = (resource: string, namespace: string, name: string): KubeObject | undefined => {
      const own = staged.findLast(
        (c) => c.resource === resource && c.namespace === namespace && c.name === name,
      );
      if (own) return own.type === 'DELETED' ? undefined : own.object;
      const row = this.#statements.wget.get(resource, keyOf(namespace, name));
      return row && parse(row['body'] as Uint8Array);
    };
    const stage = (resource: string, object: KubeObject, remove: boolean): KubeObject => {
      const namespace = object.metadata.namespace ?? '';
      const name = object.metadata.name;
      const previous = current(resource, namespace, name);
      this.#rv += 1;
      object.metadata.resourceVersion = String(this.#rv);
      const body = encoder.encode(JSON.stringify(object));
      const type = remove ? 'DELETED' : previous ? 'MODIFIED' : 'ADDED';
      staged.push({ rv: this.#rv, resource, namespace, name, type, body, object, previous });
      return object;
    };
    return {
      get: current,
      put: (resource, object) => stage(resource, object, false),
      remove: (resource, object) => stage(resource, object, true),
    };
  }

  #insert(change: Change): void {
    const key = keyOf(change.namespace, change.name);
    const row = this.#statements.wget.get(change.resource, key);
    const prev = (row?.['body'] as Uint8Array | undefined) ?? null;
    if (change.type === 'DELETED') this.#statements.del.run(change.resource, key);
    else this.#statements.put.run(change.resource, key, change.body);
    this.#statements.change.run(
      change.rv,
      change.resource,
      key,
      change.type,
      this.#clock(),
      change.body,
      prev,
    );
  }

  #begin(): void {
    if (this.#open) return;
    this.#writer.exec('BEGIN IMMEDIATE');
    this.#open = true;
    // Requests of one turn of the event loop end up in one commit.
    setImmediate(() => this.#commit());
  }

  #commit(): void {
    if (!this.#open) return;
    const [pending, changes] = [this.#pending, this.#changes];
    [this.#pending, this.#changes, this.#open] = [[], [], false];
    try {
      this.#writer.exec('COMMIT');
    } catch (error) {
      [this.#pending, this.#changes, this.#open] = [pending, changes, true];
      this.#abort(error);
      return;
    }
    this.#committed = this.#rv;
    for (const change of changes) for (const listener of this.#listeners) listener(change);
    for (const waiter of pending) waiter.resolve();
  }

  /** The disk refused (full, broken): nothing of this commit happened, and everybody in it is told. */
  #abort(error: unknown): void {
    const pending = this.#pending;
    [this.#pending, this.#changes, this.#open] = [[], [], false];
    this.#rv = this.#committed;
    if (this.#writer.isTransaction) this.#writer.exec('ROLLBACK');
    for (const waiter of pending) waiter.reject(error);
  }

  /** Forgets history older than {@link HISTORY_MS}. Call now and then. */
  compact(): void {
    if (this.#open) this.#commit();
    const old = this.#writer
      .prepare('SELECT max(rv) AS rv FROM changes WHERE at < ?')
      .get(this.#clock() - HISTORY_MS);
    const limit = Math.max(Number(old?.['rv'] ?? 0), this.#committed - HISTORY_ROWS);
    if (limit <= this.#oldest) return;
    this.#writer.exec('BEGIN IMMEDIATE');
    this.#writer.prepare('DELETE FROM changes WHERE rv <= ?').run(limit);
    this.#writer
      .prepare(
        "INSERT INTO meta (key, value) VALUES ('oldest', ?) ON CONFLICT DO UPDATE SET value = excluded.value",
      )
      .run(limit);
    this.#writer.exec('COMMIT');
    this.#oldest = limit;
  }

  /** Commits what is open and closes the file. */
  close(): void {
    if (this.#closed) return;
    this.#commit();
    this.#closed = true;
    this.#reader.close();
    this.#writer.close();
  }
}
