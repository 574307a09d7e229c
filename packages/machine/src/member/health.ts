import type { MachineComponentEntry } from '@kubenode/api';
import { isWrong } from './trouble.ts';
import type { ComponentView, MachineView } from './view.ts';

/** Why a machine can't be told anything now; undefined: its agent hears. */
export function unheard(machine: MachineView): string | undefined {
  if (machine.agent === 'None') return 'its agent was not heard of yet';
  return machine.agent === 'Silent' ? 'its agent does not report' : undefined;
}

/** How a machine stands with one component, as its agent reports. */
export interface Health {
  /** The agent reported the revision Ready after the machine was moved to it. */
  readonly ready: boolean;
  readonly failed: boolean;
  /** It failed, and its agent will not try again by itself. */
  readonly gaveUp: boolean;
  /** It says by itself that the component does not work; not so while it is silent or on its way. */
  readonly wrong: boolean;
  readonly unreachable: boolean;
  readonly drifted: boolean;
  /** It ran the component, and does not do so as it should: it takes from maxUnavailable. */
  readonly unavailable: boolean;
  /** It never ran the component: giving it one disturbs nothing. */
  readonly fresh: boolean;
  /** For people: where the machine stands, such as `Failed: probe socket: ...`. */
  readonly stands: string;
}

export function healthOf(
  machine: MachineView,
  entry: MachineComponentEntry | undefined,
  status: ComponentView | undefined,
): Health {
  const unreachable = machine.agent !== 'Alive';
  const fresh = status?.lastGood === undefined && status?.running === undefined;
  if (entry === undefined) {
    return {
      ready: false,
      failed: false,
      gaveUp: false,
      wrong: false,
      unreachable,
      drifted: false,
      unavailable: false,
      fresh,
      stands: '',
    };
  }
  const ready = !unreachable && isReady(entry, status);
  const failed =
    !ready &&
    entry.state === 'Present' &&
    status !== undefined &&
    status.failedRevision === entry.revision &&
    status.state !== 'Installing' &&
    isEcho(entry, status);
  const drifted = entry.drift === 'Report' && status?.incorrect === true;
  const unavailable = !ready && (unreachable || failed || !fresh);
  const isEchoed = status !== undefined && isEcho(entry, status);
  return {
    ready,
    failed,
    gaveUp: failed && status?.retryAt === undefined && status?.state === 'Failed',
    wrong: !unreachable && isEchoed && isWrong(status.state),
    unreachable,
    drifted,
    unavailable,
    fresh,
    stands: stands(machine, entry, status),
  };
}

function isReady(entry: MachineComponentEntry, status: ComponentView | undefined): boolean {
  return (
    entry.state === 'Present' &&
    status?.state === 'Ready' &&
    status.running === entry.revision &&
    isEcho(entry, status)
  );
}

/** The report was made about this very move, told by its millisecond: A, B and A again must not read the health of the first A. */
export function isEcho(entry: MachineComponentEntry, status: ComponentView): boolean {
  return (
    entry.movedAt === undefined ||
    (status.movedAt !== undefined && Date.parse(status.movedAt) === Date.parse(entry.movedAt))
  );
}

function stands(
  machine: MachineView,
  entry: MachineComponentEntry,
  status: ComponentView | undefined,
): string {
  if (machine.agent !== 'Alive') return unheard(machine) ?? '';
  if (status === undefined || !isEcho(entry, status)) return 'told, not begun yet';
  const step =
    status.state === 'Failed' && status.failedStep !== undefined ? ` at step ${status.failedStep}` : '';
  return `${status.state}${step}${status.message === '' ? '' : `: ${status.message}`}`;
}

/**
 * The agent has removed the component: its report is about this state of the Machine, and the component no longer stands in it.
 * Only then an entry leaves the list.
 */
export function isRemoved(machine: MachineView, entry: MachineComponentEntry): boolean {
  return (
    entry.state === 'Absent' &&
    !machine.components.has(entry.name) &&
    machine.agent === 'Alive' &&
    machine.agentGeneration >= machine.generation
  );
}
