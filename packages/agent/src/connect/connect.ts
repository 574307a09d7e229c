import { createClient, isUnauthorized, recorder } from '@kubenode/runtime';
import type { Agent } from '../agent.ts';
import type { EventSink } from '../events.ts';
import type { Clock } from '../clock.ts';
import { followDesired } from '../desired/follow.ts';
import type { Desired, DesiredStore } from '../desired/desired.ts';
import { AgentIdentity, type IdentityOptions } from '../identity/identity.ts';
import type { Machine } from '@kubenode/api';
import type { Reporter } from '../report/reporter.ts';
import type { AgentLogger } from '../log.ts';
import { describeSkew } from './clock-skew.ts';
import { keepLease } from './control-plane.ts';
import type { StatusLine } from './status-line.ts';

export interface ConnectOptions extends Omit<IdentityOptions, 'log'> {
  readonly agent: Agent;
  readonly reporter: Reporter;
  readonly statusLine: StatusLine;
  readonly store: DesiredStore;
  readonly known: Desired | undefined;
  readonly log: AgentLogger;
  /** Takes the sink of events while there is a connection. */
  readonly events: (sink: EventSink) => void;
  /** Told when the agent is to take itself off the host; may be told again. */
  readonly leave: () => void;
}

/** The server says 401 again after this time at the earliest, when we went back to the token. */
const rejectedPauseMs = 60_000;
const skewCheckMs = 3_600_000;
const reconnectMs = 5_000;

/** Keeps the agent in touch with its API server until the signal. Nothing here stops the agent from holding the host. */
export async function stayConnected(options: ConnectOptions, signal: AbortSignal): Promise<void> {
  const { clock, log } = options;
  const identity = new AgentIdentity(options);
  while (!signal.aborted) {
    try {
      await identity.ensure(signal);
      await connected(identity, options, signal);
    } catch (error) {
      if (signal.aborted) return;
      log.error('the connection to the API server is set up anew', { error: String(error) });
      await clock.sleep(reconnectMs, signal).catch(() => undefined);
    }
  }
}

async function connected(
  identity: AgentIdentity,
  options: ConnectOptions,
  outer: AbortSignal,
): Promise<void> {
  const { connection, machine, clock, log, agent, reporter, store, known, events, statusLine, leave } =
    options;
  const stop = new AbortController();
  const signal = AbortSignal.any([outer, stop.signal]);
  const client = createClient({
    ...connection,
    credentials: identity.credentials,
    userAgent: 'kubenode-agent',
    maxConnections: 4,
  });
  const tells = recorder({ client, component: 'kubenode-agent', instance: machine, log });
  let uid = known?.machine.uid ?? '';
  const sink: EventSink = (type, reason, note, component) => {
    tells.event(
      {
        apiVersion: 'kubenode.io/v1alpha1',
        kind: 'Machine',
        name: machine,
        ...(uid === '' ? {} : { uid }),
        ...(component === undefined ? {} : { fieldPath: `status.components{${component}}` }),
      },
      type,
      reason,
      note,
    );
  };
  events(sink);
  let rejectedAt = Number.NEGATIVE_INFINITY;
  const onError = (error: unknown): void => {
    void identity.explain(error).then((reason) => {
      log.warn('the API server is not to be had; the host is held as it is', { reason });
    });
    if (!isUnauthorized(error) || clock.now() < rejectedAt + rejectedPauseMs) return;
    rejectedAt = clock.now();
    void identity.rejected(signal);
  };
  statusLine.attach(client);
  reporter.tellNow();
  const changed = (desired: Desired): void => {
    if (desired.machine.uid !== uid) reporter.tellAgain();
    uid = desired.machine.uid;
    agent.setDesired(desired);
  };
  let there = true;
  const present = (held: Machine | undefined): void => {
    const now = held !== undefined;
    if (now && !there) reporter.tellAgain();
    else if (now) reporter.saw(held.status);
    there = now;
  };
  try {
    await Promise.race([
      followDesired({ client, machine, store, clock, log, known, changed, present, leave, onError }, signal),
      keepLease(client, machine, clock, log, signal),
      identity.keepFresh(client, signal),
      tells.run(signal),
      watchSkew(client, clock, signal, (skew) => {
        statusLine.skew = skew;
        reporter.tellAgain();
        if (skew !== undefined) sink('Warning', 'ClockWrong', skew);
      }),
    ]);
  } finally {
    stop.abort(new Error('the connection ends'));
    events(() => undefined);
    statusLine.detach();
    client.close();
  }
}

/** Asks the server for its time now and then, and tells when our clock gets wrong or right. */
async function watchSkew(
  client: ReturnType<typeof createClient>,
  clock: Clock,
  signal: AbortSignal,
  changed: (skew: string | undefined) => void,
): Promise<void> {
  let last: string | undefined;
  while (!signal.aborted) {
    try {
      const { headers } = await client.raw('GET', '/version', undefined, { signal });
      const skew =
        typeof headers['date'] === 'string'
          ? describeSkew(Date.parse(headers['date']), clock.now())
          : undefined;
      if (skew !== last) changed(skew);
      last = skew;
    } catch {
      // Whether the server answers is followDesired's to tell; this asks for its time alone.
    }
    await clock.sleep(skewCheckMs, signal);
  }
}
