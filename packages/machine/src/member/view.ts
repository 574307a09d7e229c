import { agentLeft, agentUnreachable, inUseFinalizer } from '@kubenode/api';
import type {
  LabelSelector,
  Machine,
  MachineComponentEntry,
  MachineComponentSet,
  MachineComponentSetStatus,
  MachineComponentStatus,
  MachineDisruption,
  Rollout,
  Variable,
} from '@kubenode/api';
import { findCondition } from '@kubenode/runtime';
import type { Revision } from '../caches.ts';
import type { NodeProblem } from '../machine/node.ts';

/** What the assigner keeps of a Machine: enough to decide, small enough for 100,000 of them. */
export interface MachineView {
  readonly name: string;
  readonly uid: string;
  readonly generation: number;
  readonly resourceVersion: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly paused: boolean;
  readonly deleting: boolean;
  readonly deletionPolicy: 'Retain' | 'Delete';
  /** Alive: heard of. Silent: its Lease is stale. None: there never was one, or it has left. */
  readonly agent: 'Alive' | 'Silent' | 'None';
  /** metadata.generation that the agent's report is about; 0 when it never reported. */
  readonly agentGeneration: number;
  readonly entries: readonly MachineComponentEntry[];
  readonly components: ReadonlyMap<string, ComponentView>;
  /** The Machine's condition NodeReady; undefined where there is no Node to ask for. */
  readonly nodeReady:
    | {
        readonly status: string;
        readonly reason: string;
        readonly message: string;
        /** Epoch milliseconds. */
        readonly since: number;
      }
    | undefined;
  readonly nodeProblems: readonly NodeProblem[];
  /**
   * The Machine's leave to be disturbed: whether it waits for the budget and was not begun before, and since when the agent may act or, where it
   * may not yet, since when that is tried; epoch milliseconds.
   */
  readonly leave: { readonly waits: boolean; readonly since: number } | undefined;
  /** Since when its agent does not report, epoch milliseconds; undefined: it does. */
  readonly silentSince: number | undefined;
}

/** What the agent says about one component. */
export interface ComponentView {
  readonly state: MachineComponentStatus['state'];
  readonly running: string | undefined;
  readonly lastGood: string | undefined;
  readonly movedAt: string | undefined;
  readonly failedRevision: string | undefined;
  readonly failedStep: string | undefined;
  /** When the agent tries again what failed, RFC 3339; undefined: not by itself. */
  readonly retryAt: string | undefined;
  readonly asks: MachineComponentStatus['asks'];
  /** Since when it is in that state, epoch milliseconds; 0 where the agent does not say. */
  readonly since: number;
  /** One of the three correctnesses is "False". */
  readonly incorrect: boolean;
  readonly message: string;
}

/** What the assigner keeps of a MachineComponentSet. */
export interface SetView {
  readonly name: string;
  readonly generation: number;
  readonly deleting: boolean;
  readonly component: string;
  /** Name of the revision that belongs on the machines; that of a template is already worked out. */
  readonly revision: string;
  readonly fromTemplate: boolean;
  readonly selector: LabelSelector | undefined;
  readonly priority: number;
  readonly variables: readonly Variable[];
  readonly drift: 'Repair' | 'Report';
  readonly removal: 'Retain' | 'Remove';
  readonly rollout: Rollout;
  readonly paused: boolean;
  readonly retryToken: string;
  /** Name of the revision that a person promotes; '' for none. */
  readonly promote: string;
  readonly status: MachineComponentSetStatus;
}

/** What the assigner keeps of a MachineComponent. */
export interface RevisionView {
  readonly name: string;
  readonly uid: string;
  readonly component: string;
  readonly version: string;
  /** Bringing it in restarts a process that works. */
  readonly restarts: boolean;
  readonly deleting: boolean;
  /** It carries the finalizer that keeps it while it is in use: only then machines are moved to it. */
  readonly isKept: boolean;
}

/** @param problems what is wrong with its Node */
export function viewOfMachine(machine: Machine, problems: readonly NodeProblem[] = []): MachineView {
  const conditions = machine.status?.conditions ?? [];
  const agentReady = findCondition(conditions, 'AgentReady');
  const ready = findCondition(conditions, 'Ready');
  const node = machine.spec.nodeName === undefined ? undefined : findCondition(conditions, 'NodeReady');
  const heard = agentReady !== undefined && agentReady.reason !== agentLeft;
  const leave = machine.status?.disruption;
  const reports = findCondition(conditions, 'ComponentsReady')?.observedGeneration;
  const isSilent = heard && ready?.reason === agentUnreachable;
  return {
    name: machine.metadata.name,
    uid: machine.metadata.uid ?? '',
    generation: machine.metadata.generation ?? 0,
    resourceVersion: machine.metadata.resourceVersion ?? '',
    labels: machine.metadata.labels ?? {},
    paused: machine.spec.paused,
    deleting: machine.metadata.deletionTimestamp !== undefined,
    deletionPolicy: machine.spec.deletionPolicy,
    agent: !heard ? 'None' : isSilent ? 'Silent' : 'Alive',
    agentGeneration: reports ?? 0,
    entries: machine.spec.components ?? [],
    components: new Map((machine.status?.components ?? []).map((c) => [c.name, viewOfComponent(c)])),
    nodeReady: node && {
      status: node.status,
      reason: node.reason,
      message: node.message,
      since: Date.parse(node.lastTransitionTime) || 0,
    },
    nodeProblems: problems,
    leave: leave && viewOfLeave(leave),
    silentSince: isSilent ? Date.parse(ready.lastTransitionTime) || 0 : undefined,
  };
}

/** Drains that are given up again and again are one try, as long as it takes. */
function viewOfLeave({ state, since, begunAt }: MachineDisruption): MachineView['leave'] {
  const acts = state === 'Granted' || state === 'Ending';
  const from = acts ? since : (begunAt ?? since);
  return { waits: state === 'Waiting' && begunAt === undefined, since: Date.parse(from) || 0 };
}

function viewOfComponent(status: MachineComponentStatus): ComponentView {
  const { correct, failed } = status;
  const isFailure = status.state === 'Failed' || status.state === 'RollingBack';
  return {
    state: status.state,
    running: status.running,
    lastGood: status.lastGood,
    movedAt: status.movedAt,
    failedRevision: failed?.revision,
    failedStep: failed?.step,
    retryAt: failed?.retryAt,
    asks: status.asks,
    since: Date.parse(status.since ?? '') || 0,
    incorrect: correct !== undefined && Object.values(correct).includes('False'),
    message:
      status.state === 'Ready' ? '' : ((isFailure ? failed?.message : undefined) ?? status.message ?? ''),
  };
}

/** `revision` is the name of the revision that a template stands for, worked out by machinecomponentset/template.ts. */
export function viewOfSet(set: MachineComponentSet, revision: string): SetView {
  const { spec } = set;
  return {
    name: set.metadata.name,
    generation: set.metadata.generation ?? 0,
    deleting: set.metadata.deletionTimestamp !== undefined,
    component: spec.component,
    revision,
    fromTemplate: spec.template !== undefined,
    selector: spec.selector,
    priority: spec.priority,
    variables: spec.variables,
    drift: spec.drift,
    removal: spec.removal,
    rollout: spec.rollout,
    paused: spec.paused,
    retryToken: spec.retryToken,
    promote: spec.promote,
    status: set.status ?? {},
  };
}

export function viewOfRevision(revision: Revision): RevisionView {
  const { metadata, component, version, disruption, hasUnit } = revision;
  return {
    name: metadata.name,
    uid: metadata.uid ?? '',
    component,
    version,
    restarts: disruption === 'Restart' && hasUnit,
    deleting: metadata.deletionTimestamp !== undefined,
    isKept: metadata.finalizers?.includes(inUseFinalizer) === true,
  };
}
