import { agentUser, fieldManagers, leaseRenewMs, leaseStaleMs, systemNamespace } from '@kubenode/api';
import { type Client, Lease, microTimestamp } from '@kubenode/runtime';
import type { Clock } from '../clock.ts';
import type { Logger } from '../log.ts';
import type { AgentStatus } from '../report/status.ts';
import { Machine } from './kinds.ts';

/** Writes the agent's part of the Machine's status; the fields of others are not touched. */
export async function writeStatus(
  client: Client,
  machine: string,
  status: AgentStatus,
  signal: AbortSignal,
): Promise<void> {
  const { summary, host, components, conditions } = status;
  await client.apply(
    Machine,
    {
      metadata: { name: machine },
      status: { summary, host, components: [...components], conditions: [...conditions] },
    },
    { subresource: 'status', fieldManager: fieldManagers.agent, force: true, signal },
  );
}

/** Renews the machine's Lease until the signal: it says that the agent lives, whatever the status says. */
export async function keepLease(
  client: Client,
  machine: string,
  clock: Clock,
  log: Logger,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    try {
      await client.apply(
        Lease,
        {
          metadata: { name: machine, namespace: systemNamespace },
          spec: {
            holderIdentity: agentUser(machine),
            leaseDurationSeconds: leaseStaleMs / 1000,
            renewTime: microTimestamp(clock.now()),
          },
        },
        { fieldManager: fieldManagers.agent, force: true, signal },
      );
      await clock.sleep(leaseRenewMs * (0.95 + 0.1 * Math.random()), signal);
    } catch (error) {
      if (signal.aborted) return;
      log.warn('the Lease could not be renewed', { error: String(error) });
      await clock.sleep(5_000 + 5_000 * Math.random(), signal).catch(() => undefined);
    }
  }
}
