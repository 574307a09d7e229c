import type { Applied, Draft, KeyLike, Kind, KubeObject } from './object.ts';

/** Options every call takes. */
export interface CallOptions {
  /** Ends the call at once, with the signal's reason. */
  readonly signal?: AbortSignal;
  /** Milliseconds for the whole call, retries included. @default 30_000 */
  readonly timeoutMs?: number;
}

/** Which objects a list or a watch is about. Strings are Kubernetes' selector syntax. */
export interface Selection {
  /** Only of this namespace; absent: of all. */
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
}

export interface ListOptions extends CallOptions, Selection {
  /** Objects per page. @default 500 */
  readonly limit?: number;
}

/** One page of a list. All pages of a list show the state at one resourceVersion. */
export interface Page<T> {
  readonly items: T[];
  readonly resourceVersion: string;
}

export type Subresource = 'status' | 'scale' | 'approval' | 'token' | (string & {});

export interface WriteOptions extends CallOptions {
  readonly fieldManager?: string;
  readonly subresource?: Subresource;
  /** Checked by the server, nothing stored. */
  readonly dryRun?: boolean;
  /** What happens with unknown fields. @default the server's (Warn) */
  readonly fieldValidation?: 'Strict' | 'Warn' | 'Ignore';
}

export interface ApplyOptions extends WriteOptions {
  readonly fieldManager: string;
  /** Take over fields that other managers own. @default false: a 409 that names them */
  readonly force?: boolean;
}

export interface DeleteOptions extends CallOptions {
  /** Only this very object: refused with 409 if another of the same name took its place. */
  readonly uid?: string;
  /** Only in this state: refused with 409 if it was written since. */
  readonly resourceVersion?: string;
  readonly propagation?: 'Foreground' | 'Background' | 'Orphan';
  readonly gracePeriodSeconds?: number;
}

export interface JsonPatchStep {
  readonly op: 'add' | 'remove' | 'replace' | 'move' | 'copy' | 'test';
  /** JSON pointer. */
  readonly path: string;
  readonly from?: string;
  readonly value?: unknown;
}
export type Patch =
  | { readonly type: 'merge'; readonly body: object }
  | { readonly type: 'strategic'; readonly body: object }
  | { readonly type: 'json'; readonly body: readonly JsonPatchStep[] };

/**
 * What a watch tells, in order. First `RELIST`, then each object there is as `LISTED`, then `SYNCED`; from there on changes. After a
 * gap that the server cannot fill (410) the same comes again: whatever was known before and isn't `LISTED` between `RELIST` and
 * `SYNCED` is gone. A list that breaks off begins again with another `RELIST`.
 */
export type WatchEvent<T> =
  | { readonly type: 'RELIST' }
  | { readonly type: 'LISTED'; readonly object: T }
  | { readonly type: 'SYNCED'; readonly resourceVersion: string }
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: T }
  | { readonly type: 'BOOKMARK'; readonly resourceVersion: string };

export interface WatchOptions extends Selection {
  /** Ends the watch; the iteration then ends without an error. */
  readonly signal: AbortSignal;
  /** Start from here instead of with a list; falls back to `RELIST` where that is too old. */
  readonly resourceVersion?: string;
  /** Objects per page of the lists. @default 500 */
  readonly limit?: number;
  /** A connection on which nothing came for so long is taken for dead. @default 180_000, longer than the server's bookmark interval */
  readonly inactivityMs?: number;
  /** Told each time the watch fails; it tries again by itself after `retryMs`. */
  readonly onError?: (error: unknown, retryMs: number) => void;
}

export interface RawOptions extends CallOptions {
  readonly contentType?: string;
  readonly accept?: string;
  /** May it be sent again after an answer was lost? @default only GET and HEAD */
  readonly idempotent?: boolean;
}

export interface RawResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

/**
 * A Kubernetes API server. Every method rejects with ApiError (the server said no), ConnectionError (no answer), or the signal's
 * reason. What may be tried again safely is tried again, 6 times within `timeoutMs`: everything on 429 and where the connection was refused; reads
 * and writes that end in the same state when done twice also on 502, 503, 504 and broken connections. Anything else is the caller's.
 */
export interface Client {
  /** The server's URL, for messages. */
  readonly server: string;
  /**
   * undefined where the server says that there is no object of that name. Where the kind itself isn't served it rejects
   * (isKindMissing): a CRD that is gone for a moment must not look like objects that are gone.
   */
  get<T extends KubeObject>(
    kind: Kind<T>,
    key: KeyLike,
    options?: CallOptions & { subresource?: Subresource },
  ): Promise<T | undefined>;
  /**
   * Page by page, so that no more than a page is in memory. A consumer that takes longer than the server keeps the list's state (5
   * minutes) gets a 410 (isGone) between pages, and begins again.
   */
  pages<T extends KubeObject>(kind: Kind<T>, options?: ListOptions): AsyncIterable<Page<T>>;
  /** All at once: for small lists. */
  list<T extends KubeObject>(kind: Kind<T>, options?: ListOptions): Promise<Page<T>>;
  create<T extends KubeObject>(kind: Kind<T>, object: Draft<T>, options?: WriteOptions): Promise<T>;
  /** Replaces it whole; with metadata.resourceVersion only that state of it (409 otherwise). */
  update<T extends KubeObject>(kind: Kind<T>, object: T, options?: WriteOptions): Promise<T>;
  /** False where there was no such object. True: it is deleted, or marked for deletion while it has finalizers. */
  delete<T extends KubeObject>(kind: Kind<T>, key: KeyLike, options?: DeleteOptions): Promise<boolean>;
  /** Server-side apply. */
  apply<T extends KubeObject>(kind: Kind<T>, object: Applied<T>, options: ApplyOptions): Promise<T>;
  patch<T extends KubeObject>(kind: Kind<T>, key: KeyLike, patch: Patch, options?: WriteOptions): Promise<T>;
  /**
   * Never ends by itself: lists, watches, resumes, relists, waits with jitter, until the signal. A slow consumer holds up the
   * connection, not the memory.
   */
  watch<T extends KubeObject>(kind: Kind<T>, options: WatchOptions): AsyncIterable<WatchEvent<T>>;
  /** Any path (`/version`). `body` is sent as JSON unless it is a string or Buffer. Rejects with ApiError from 400 on. */
  raw(method: string, path: string, body?: unknown, options?: RawOptions): Promise<RawResponse>;
  /** Closes idle connections; running requests end by themselves. */
  close(): void;
}
