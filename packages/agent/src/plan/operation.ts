import { isAgent } from '../selfupgrade/own.ts';
import type { Goal, GoalFile } from './goal.ts';
import type { Disturbance, Leave } from './leave.ts';

/** What an installed revision looks like on this host. Kept on disk: repair and rollback need nothing else. */
export interface Applied {
  readonly goal: Goal;
  /** Everything it put there: the goal's files and the artifact's. */
  readonly files: readonly GoalFile[];
  /** The verified .deb, kept for the way back. */
  readonly deb?: string;
  /** Digests of the package's programs as dpkg brought them, by path. */
  readonly packageFiles?: Readonly<Record<string, string>>;
  /** What is known of the unit's main process. */
  readonly process?: ProcessFacts;
  /** Drop-ins of the unit that stood there when it was committed, with their digests. */
  readonly dropIns?: Readonly<Record<string, string>>;
  /** When it was committed, epoch milliseconds. */
  readonly at: number;
  /** Version that the version check found; empty without one. */
  readonly foundVersion: string;
  /** False: a version command is all that speaks for it. */
  readonly proven: boolean;
}
export interface ProcessFacts {
  /** It ends by itself after its work, so inactive is no harm. */
  readonly oneshot: boolean;
  /** Digest of what the main process ran when it was committed. */
  readonly executable?: string;
}

/** A pair of revision and machine that failed; not tried again until the revision or the retryToken changes, or the time has come. */
export interface Failure {
  readonly revision: string;
  readonly goalKey: string;
  readonly retryToken: string;
  readonly step: string;
  /** It was its removal that failed. */
  readonly removal?: true;
  readonly attempts: number;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly message: string;
  /** When it is tried again; left out where going back succeeded: then only a person or a new revision has it tried again. */
  readonly retryAt?: number;
}

/** A healthy process that read what was harmed, and has to be restarted when there is leave. */
export interface OwedRestart {
  /** A process that was started later never read it. Epoch milliseconds. */
  readonly since: number;
  readonly reason: string;
}

/** A revision that was brought in a while ago and has yet to show that it stays healthy. */
export interface Probation {
  /** What was there before; kept whole until this is over. */
  readonly before: Applied;
  /** Epoch milliseconds. */
  readonly until: number;
  readonly retryToken: string;
  /** Points against it. */
  readonly strikes: number;
  /** Restarts of its unit that are counted in already. */
  readonly restarts: number;
}

/** What the agent knows of one component on this host. One file per component. */
export interface ComponentRecord {
  readonly component: string;
  /** What is there. */
  readonly applied?: Applied;
  /** What was healthy last, where that is something else. */
  readonly lastGood?: Applied;
  readonly failed?: Failure;
  /** The revision in `applied` is new, and can be gone back from. */
  readonly probation?: Probation;
  readonly owes?: OwedRestart;
  /** When its healthy process was restarted last because of drift, epoch milliseconds, and under which leave. */
  readonly restarted?: { readonly at: number; readonly leave?: string };
  /** Paths that may have been written for it and are not part of `applied`; cleaned up by the next operation that ends. */
  readonly stray: readonly string[];
  readonly drift: {
    readonly repaired: number;
    readonly last?: { readonly at: number; readonly what: string };
  };
}

export type OperationKind = 'Install' | 'Rollback' | 'Repair' | 'Remove';

/** Steps in the order in which they are done; an operation does those that it needs. */
export const stepNames = [
  'stage',
  'compare',
  'preInstall',
  'leave',
  'preRemove',
  'originals',
  'watchdog',
  'retire',
  'package',
  'files',
  'obsolete',
  'units',
  'postInstall',
  'enable',
  'preStop',
  'reboot',
  'service',
  'postStart',
  'version',
  'probes',
  'report',
  'commit',
] as const;
export type StepName = (typeof stepNames)[number];

export type ServiceAction = 'None' | 'Reload' | 'Start' | 'Restart';

/** The difference between a goal and the host. */
export interface Changes {
  /** Files to be written, with the reason. */
  readonly writes: readonly { readonly path: string; readonly why: string }[];
  /** Files to be taken away, or put back to what was there before. */
  readonly removals: readonly string[];
  /** Why the package has to be installed; left out: it need not be. */
  readonly package?: string;
  readonly daemonReload: boolean;
  readonly unmask: boolean;
  readonly enable: boolean;
  readonly service: ServiceAction;
  readonly serviceReason: string;
  /** Unit of the revision before, which this one no longer has. */
  readonly retire?: string;
}

/** Work on one component, journalled before each of its steps. */
export interface Operation {
  readonly kind: OperationKind;
  readonly goal: Goal;
  readonly reason: string;
  /** Epoch milliseconds. */
  readonly startedAt: number;
  readonly retryToken: string;
  /** Steps that are done. A step begun and not done is done again: each is idempotent. */
  readonly done: readonly StepName[];
  readonly step?: StepName;
  /** Everything that the goal puts on the host, known once it is staged. */
  readonly files?: readonly GoalFile[];
  readonly deb?: string;
  readonly changes?: Changes;
  /** What the operation that this one replaced still owed to the unit. */
  readonly owed?: ServiceAction;
  /** Nothing had to be changed, and nothing was known of it before: it is taken over as it runs. */
  readonly adopting?: boolean;
  /** Healthy by then; set when the host is touched for the first time. */
  readonly deadlineAt?: number;
  readonly foundVersion?: string;
  /** Of the agent itself: boot, process and start time of the one that asked for its own restart. */
  readonly restarts?: string;
  /** What a repair found. */
  readonly harm?: string;
  /** Leave that it needs before it disturbs the machine; known once it is compared. */
  readonly asks?: Disturbance;
  /** The leave under which it disturbs the machine. */
  readonly leave?: Pick<Leave, 'id' | 'kind'>;
  /** The boot that a reboot has to end, journalled before the host is told, and the leave under which it was told. */
  readonly reboot?: { readonly bootID: string; readonly leave?: string };
  /** Something was rebooted into that has to be rebooted out of again, or was not yet rebooted into. */
  readonly mustReboot?: true;
  /** Unit of the revision that a rollback leaves, where this one has another. */
  readonly retires?: string;
}

const serviceOrder: readonly ServiceAction[] = ['None', 'Reload', 'Start', 'Restart'];

/** The stronger of two: a restart covers a start and a reload. */
export function strongerAction(a: ServiceAction, b: ServiceAction): ServiceAction {
  return serviceOrder.indexOf(a) >= serviceOrder.indexOf(b) ? a : b;
}

/** What an unfinished operation still owes to the unit. */
export function owedBy(operation: Operation): ServiceAction {
  if (operation.done.includes('service') || operation.changes === undefined) return operation.owed ?? 'None';
  return strongerAction(operation.changes.service, operation.owed ?? 'None');
}

/** The steps that an operation consists of. Known in part until `compare` is done. */
export function stepsOf(operation: Operation): readonly StepName[] {
  const { goal, kind, changes } = operation;
  const agent = isAgent(goal);
  // The agent is not removed by itself: its Machine or its import is deleted for that. Here it is only no component any more.
  if (kind === 'Remove' && agent) return pick({ commit: true });
  if (kind === 'Remove') {
    return pick({
      leave: operation.asks,
      preRemove: goal.hooks.preRemove,
      retire: goal.unit,
      package: goal.package,
      obsolete: true,
      units: goal.unit,
      commit: true,
    });
  }
  if (changes === undefined) return pick({ stage: true, compare: true, commit: true });
  const touched = touches(changes);
  const restarts = changes.service === 'Restart';
  return pick({
    stage: true,
    compare: true,
    preInstall: touched && kind !== 'Repair' && goal.hooks.preInstall,
    leave: kind === 'Install' && operation.asks,
    originals: touched && kind !== 'Repair' && !agent,
    watchdog: touched && kind === 'Install' && agent,
    retire: changes.retire,
    package: changes.package,
    files: changes.writes.length > 0,
    obsolete: changes.removals.length > 0,
    units: changes.daemonReload || changes.unmask || changes.retire || isEnabledWithUnits(operation),
    postInstall:
      goal.hooks.postInstall &&
      (kind === 'Repair' ? goal.unit === undefined && changes.writes.length > 0 : touched),
    enable: changes.enable && !isEnabledWithUnits(operation),
    preStop: restarts && goal.hooks.preStop,
    reboot: operation.asks === 'Reboot',
    service: changes.service !== 'None',
    postStart: (restarts || changes.service === 'Start') && goal.hooks.postStart,
    version: kind !== 'Repair',
    probes: kind !== 'Repair',
    report: touched && kind === 'Install' && agent,
    commit: true,
  });
}

/** Enabled before the manager reads its files, so that it reads them once. Where a hook comes between, no boot may start the unit before it. */
export function isEnabledWithUnits({ goal, changes }: Operation): boolean {
  return changes?.enable === true && goal.hooks.postInstall === undefined;
}

/** Whether a difference means that the host has to be touched. */
export function touches(changes: Changes): boolean {
  return (
    changes.writes.length > 0 ||
    changes.removals.length > 0 ||
    changes.package !== undefined ||
    changes.retire !== undefined ||
    changes.unmask ||
    changes.enable ||
    changes.service !== 'None'
  );
}

function pick(wanted: Partial<Record<StepName, unknown>>): StepName[] {
  return stepNames.filter((name) => wanted[name]);
}
