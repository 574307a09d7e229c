import { leaveFor } from '../plan/changes.ts';
import type { Operation } from '../plan/operation.ts';
import type { Step } from './context.ts';

/** Waits for leave to disturb the machine. The deadline runs from here: nothing was disturbed before. */
export const awaitLeave: Step = async ({ goal, asks }, { host, leaves, clock }, signal) => {
  if (asks === undefined) return {};
  if (asks === 'Reboot' && host.services.reboot === undefined) {
    throw new Error(
      `${goal.revision} needs a reboot (spec.disruption), and the service manager of this host (${host.services.kind}) cannot reboot it: give it a revision of another class, or a host with systemd`,
    );
  }
  const { id, kind } = await leaves.granted(asks, signal);
  return { leave: { id, kind }, deadlineAt: clock.now() + goal.deadlineMs };
};

/** Reboots the host, with all others that wait for it; another boot than the one journalled proves that it has happened. */
export const rebootHost: Step = async (begun, { host, store, leaves, clock }, signal) => {
  const { goal } = begun;
  const { bootID } = await host.facts();
  const { reboot } = host.services;
  if (begun.reboot !== undefined && begun.reboot.bootID !== bootID)
    return { deadlineAt: clock.now() + goal.deadlineMs };
  if (reboot === undefined) throw new Error(`this host (${host.services.kind}) cannot be rebooted`);
  const operation: Operation = { ...begun, reboot: begun.reboot ?? { bootID } };
  await store.saveOperation(operation);
  return await leaves.reboot(
    operation,
    {
      bootID,
      clock,
      others: () =>
        [...store.operations().values()].filter((other) => other.goal.component !== goal.component),
      journal: (leave) => store.saveOperation({ ...operation, reboot: { bootID, leave } }),
      reboot: () => reboot.call(host.services),
    },
    signal,
  );
};

/** What an operation asks for, once it is known what it changes. */
export function asksOf(
  operation: Operation,
  ...[goal, changes, found]: Parameters<typeof leaveFor>
): Operation['asks'] {
  if (operation.kind === 'Rollback') return operation.mustReboot ? 'Reboot' : undefined;
  return operation.kind === 'Install' ? leaveFor(goal, changes, found) : undefined;
}
