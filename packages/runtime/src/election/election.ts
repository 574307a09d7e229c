import type { Client } from '../client/client.ts';
import { isAlreadyExists, isConflict } from '../client/errors.ts';
import { Lease } from '../client/kinds.ts';
import type { Key } from '../client/object.ts';
import type { Random } from '../clock/backoff.ts';
import { type Clock, systemClock } from '../clock/clock.ts';
import { scope } from '../clock/scope.ts';
import { type Logger, silentLogger } from '../log/log.ts';
import { microTimestamp } from '../object/conditions.ts';

export interface ElectionOptions {
  readonly client: Client;
  /** Namespace and name of the Lease. */
  readonly lease: Required<Key>;
  /** Unique per process, also across restarts: host name and a random part. */
  readonly identity: string;
  /** How long a lease holds that isn't renewed, in milliseconds. @default 15_000 */
  readonly leaseMs?: number;
  /** The leader gives up when it couldn't renew for so long; well below leaseMs. @default 10_000 */
  readonly renewDeadlineMs?: number;
  /** Between tries. @default 2_000 */
  readonly retryMs?: number;
  readonly log?: Logger;
  readonly clock?: Clock;
  readonly random?: Random;
}

/** One process of several leads, by a Lease of coordination.k8s.io. */
export interface Election {
  readonly isLeader: boolean;
  /** Who leads, as far as is known. */
  readonly holder: string | undefined;
  /**
   * Waits for leadership, runs `lead`, and releases the lease where that resolved. The signal of `lead` is aborted when `signal` is, or when the lease is
   * lost. Rejects with LeaseLost then, after `lead` ended; otherwise as `lead` ends. Resolves when stopped before it ever led.
   */
  run(signal: AbortSignal, lead: (signal: AbortSignal) => Promise<void>): Promise<void>;
}

/** The lease went to somebody else, or could not be renewed in time. */
export class LeaseLost extends Error {
  override readonly name = 'LeaseLost';
}

/** For giving the lease back at the end; whoever waits takes over at its end anyway. */
const releaseMs = 5000;

export function leaderElection(options: ElectionOptions): Election {
  const { client, identity } = options;
  const { namespace, name } = options.lease;
  const clock = options.clock ?? systemClock;
  const random = options.random ?? Math.random;
  const log = (options.log ?? silentLogger).with({ lease: `${namespace}/${name}`, identity });
  const leaseMs = options.leaseMs ?? 15_000;
  const renewDeadlineMs = options.renewDeadlineMs ?? 10_000;
  const retryMs = options.retryMs ?? 2000;
  if (!(retryMs < renewDeadlineMs && renewDeadlineMs < leaseMs)) {
    throw new RangeError(
      `leader election: retryMs (${retryMs}) must be below renewDeadlineMs (${renewDeadlineMs}), and that below leaseMs (${leaseMs})`,
    );
  }
  /** The lease as last seen or written. */
  let seen: Lease | undefined;
  /** When it was first seen in that state, by our own monotonic clock: other machines' clocks may be wrong. */
  let seenAt = 0;
  let isLeader = false;

  const note = (lease: Lease): void => {
    if (lease.metadata.resourceVersion !== seen?.metadata.resourceVersion) seenAt = clock.monotonic();
    seen = lease;
  };
  /** Ours for the taking: nobody's, our own from before, or not renewed for as long as its holder said. */
  const free = ({ spec = {} }: Lease): boolean =>
    (spec.holderIdentity ?? '') === '' ||
    spec.holderIdentity === identity ||
    clock.monotonic() - seenAt >= (spec.leaseDurationSeconds ?? leaseMs / 1000) * 1000;

  const claim = (before: Lease | undefined): NonNullable<Lease['spec']> => {
    const old = before?.spec;
    const now = microTimestamp(clock.now());
    const same = old?.holderIdentity === identity;
    return {
      holderIdentity: identity,
      leaseDurationSeconds: Math.ceil(leaseMs / 1000),
      acquireTime: same ? (old.acquireTime ?? now) : now,
      renewTime: now,
      leaseTransitions: (old?.leaseTransitions ?? 0) + (same || old === undefined ? 0 : 1),
    };
  };
  const write = async (
    lease: Lease,
    spec: NonNullable<Lease['spec']>,
    signal: AbortSignal | undefined,
    timeoutMs: number,
  ) =>
    note(
      await client.update(
        Lease,
        { ...lease, spec },
        { timeoutMs, ...(signal === undefined ? {} : { signal }) },
      ),
    );

  /** One try to become leader. */
  const acquire = async (signal: AbortSignal): Promise<boolean> => {
    const call = { signal, timeoutMs: renewDeadlineMs };
    const lease = await client.get(Lease, options.lease, call);
    if (lease === undefined) {
      note(await client.create(Lease, { metadata: { name, namespace }, spec: claim(undefined) }, call));
      return true;
    }
    note(lease);
    if (!free(lease)) return false;
    await write(lease, claim(lease), signal, renewDeadlineMs);
    return true;
  };

  /** Resolves once it leads, with the time from which it does; undefined when stopped before. */
  const untilLeader = async (signal: AbortSignal): Promise<number | undefined> => {
    for (;;) {
      const before = clock.monotonic();
      try {
        if (await acquire(signal)) return before;
      } catch (error) {
        if (signal.aborted) return undefined;
        // Another was faster: no trouble, only a wait.
        if (!isConflict(error) && !isAlreadyExists(error)) log.warn('could not ask for the lease', { error });
      }
      try {
        await clock.sleep(retryMs * (1 + 0.2 * random()), signal);
      } catch {
        return undefined;
      }
    }
  };

  /** One renewal; throws LeaseLost when somebody else holds it. */
  const renew = async (signal: AbortSignal, timeoutMs: number): Promise<void> => {
    try {
      if (seen !== undefined) await write(seen, claim(seen), signal, timeoutMs);
    } catch (error) {
      if (!isConflict(error)) throw error;
      const lease = await client.get(Lease, options.lease, { signal, timeoutMs });
      if (lease !== undefined) note(lease);
      if (lease?.spec?.holderIdentity !== identity) {
        throw new LeaseLost(
          `lease ${namespace}/${name} is held by ${lease?.spec?.holderIdentity ?? 'nobody'} now`,
        );
      }
      await write(lease, claim(lease), signal, timeoutMs);
    }
  };

  /** Renews until the signal. Rejects with LeaseLost. */
  const keep = async (signal: AbortSignal, heldSince: number): Promise<void> => {
    let renewedAt = heldSince;
    for (;;) {
      const until = renewedAt + renewDeadlineMs;
      try {
        await clock.sleep(Math.min(retryMs, Math.max(0, until - clock.monotonic())), signal);
      } catch {
        return;
      }
      const before = clock.monotonic();
      const left = until - before;
      try {
        if (left <= 0)
          throw new LeaseLost(`lease ${namespace}/${name} could not be renewed for ${renewDeadlineMs} ms`);
        await renew(signal, left);
        // From before the request: the holder's idea of the lease ends no later than anybody else's.
        renewedAt = before;
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof LeaseLost) throw error;
        log.warn('could not renew the lease', { error });
      }
    }
  };

  const release = async (): Promise<void> => {
    if (seen?.spec?.holderIdentity !== identity) return;
    try {
      await write(
        seen,
        { ...claim(seen), holderIdentity: '', leaseDurationSeconds: 1 },
        undefined,
        releaseMs,
      );
    } catch (error) {
      log.warn('could not give the lease back; it ends by itself', { error });
    }
  };

  return {
    get isLeader() {
      return isLeader;
    },
    get holder() {
      const holder = seen?.spec?.holderIdentity;
      return holder === '' ? undefined : holder;
    },
    async run(signal, lead) {
      const since = await untilLeader(signal);
      if (since === undefined) return;
      isLeader = true;
      log.info('leading');
      using leading = scope({ parent: signal });
      using keeping = scope({});
      let lost: unknown;
      const kept = keep(keeping.signal, since).catch((error: unknown) => {
        lost = error;
        log.error('lost the lease', { error });
        leading.abort(error);
      });
      let ended = false;
      try {
        await lead(leading.signal);
        ended = true;
      } finally {
        isLeader = false;
        keeping.abort(new Error('no longer leading'));
        await kept;
        // Where `lead` failed something of it may still run: the lease then ends by itself, after this process.
        if (ended && lost === undefined) await release();
      }
      if (lost !== undefined) throw lost;
    },
  };
}
