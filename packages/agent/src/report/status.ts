import {
  agentLeft,
  type Condition,
  type HostInfo,
  type MachineComponentEntry,
  type MachineComponentStatus,
} from '@kubenode/api';
import type { Judgement } from '../observe/judge.ts';
import type { Contest } from '../observe/repairs.ts';
import { isHealthy } from '../observe/judge.ts';
import type { Decision } from '../plan/decide.ts';
import { type Disturbance, describeWait, type Leave } from '../plan/leave.ts';
import type { ComponentRecord, Operation } from '../plan/operation.ts';
import type { HostFacts } from '../ports.ts';

/** What the agent knows of one component when it reports. */
export interface ComponentView {
  readonly component: string;
  readonly entry: MachineComponentEntry | undefined;
  readonly decision: Decision;
  readonly record: ComponentRecord | undefined;
  readonly operation: Operation | undefined;
  readonly judgement: Judgement | undefined;
  /** Leave to disturb the machine, as it stands. */
  readonly leave?: Leave | undefined;
  readonly contest?: Contest | undefined;
}
/** The agent's part of a Machine's status. */
export interface AgentStatus {
  readonly observedGeneration: number;
  readonly summary: string;
  readonly host: HostInfo;
  readonly components: readonly MachineComponentStatus[];
  readonly conditions: readonly Condition[];
}
export type ComponentState = MachineComponentStatus['state'];

/** Longest text that the agent writes into a status, in characters. */
const longestMessage = 512;
/** Most components named in a condition. */
const mostNamed = 3;

/**
 * The status of one component. What says nothing new is left out, so that a Machine stays small: a desired or last good revision that is the
 * one there, and rollout and batch, which stand in the entry. Pure; `since` and times of conditions are put in by `withTimes`.
 */
export function componentStatus(view: ComponentView): Omit<MachineComponentStatus, 'since'> {
  const { component, entry, record, operation, judgement } = view;
  const applied = record?.applied;
  const state = stateOf(view);
  const message = messageOf(view, state).slice(0, longestMessage);
  const failed = record?.failed;
  const running = applied?.goal.revision;
  const desired = entry?.state === 'Present' ? entry.revision : undefined;
  const lastGood = (record?.lastGood ?? applied)?.goal.revision;
  const asks = asksOf(view);
  // What is contested goes back and forth: what is said of it stands still.
  const contest = state === 'Degraded' ? view.contest : undefined;
  const correct = judgement?.correct ?? { version: 'Unknown', config: 'Unknown', running: 'Unknown' };
  return {
    name: component,
    ...(desired === undefined || desired === running ? {} : { desired }),
    ...(applied
      ? { running: applied.goal.revision, version: applied.foundVersion || applied.goal.version }
      : {}),
    ...(lastGood === undefined || lastGood === running ? {} : { lastGood }),
    ...(entry?.movedAt === undefined ? {} : { movedAt: entry.movedAt }),
    state,
    ...(operation?.step === undefined || state === 'Ready' || contest !== undefined
      ? {}
      : { step: operation.step }),
    ...(asks === undefined ? {} : { asks }),
    ...(message === '' ? {} : { message }),
    correct: contest === undefined ? correct : { ...correct, [contest.aspect]: 'False' },
    ...(failed === undefined
      ? {}
      : {
          failed: {
            revision: failed.revision,
            step: failed.step,
            attempts: failed.attempts,
            at: new Date(failed.at).toISOString(),
            ...(failed.retryAt === undefined ? {} : { retryAt: new Date(failed.retryAt).toISOString() }),
            message: failed.message.slice(0, longestMessage),
          },
        }),
    ...(contest === undefined ? driftStatus(record) : {}),
  };
}

function driftStatus(record: ComponentRecord | undefined): Pick<MachineComponentStatus, 'drift'> {
  const drift = record?.drift;
  if (drift === undefined || (drift.repaired === 0 && drift.last === undefined)) return {};
  const last = drift.last && { at: new Date(drift.last.at).toISOString(), what: drift.last.what };
  return { drift: { repaired: drift.repaired, ...(last ? { last } : {}) } };
}

/** What it needs leave for: from when it waits until its operation ends, so that nobody takes the leave back meanwhile. */
function asksOf({ operation, judgement, record, entry }: ComponentView): Disturbance | undefined {
  const repairs = entry?.drift !== 'Report' && (operation === undefined || operation.kind === 'Repair');
  if (repairs && judgement?.harms.some(({ owed }) => owed === true))
    return record?.applied?.goal.disruption === 'Drain' ? 'Drain' : 'Restart';
  if (operation?.asks === undefined) return undefined;
  const asked =
    operation.kind === 'Rollback' || operation.step === 'leave' || operation.done.includes('leave');
  return asked ? operation.asks : undefined;
}

function stateOf(view: ComponentView): ComponentState {
  const { decision, record, operation, judgement, entry } = view;
  if (operation?.step === 'leave') return 'Waiting';
  if (operation?.kind === 'Rollback') return 'RollingBack';
  if (operation?.kind === 'Remove') return 'Removing';
  if (operation?.kind === 'Install') return 'Installing';
  if (decision.do === 'Start') return decision.kind === 'Remove' ? 'Removing' : 'Installing';
  if (failureOf(view) !== undefined) return 'Failed';
  const applied = record?.applied;
  if (applied === undefined || judgement === undefined) return 'Waiting';
  if (view.contest !== undefined) return 'Degraded';
  if (judgement.harms.length > 0) return judgement.harms.every(({ owed }) => owed) ? 'Waiting' : 'Degraded';
  if (entry?.state === 'Present' && applied.goal.revision !== entry.revision) return 'Waiting';
  if (!isHealthy(judgement)) return 'Degraded';
  return judgement.correct.version === 'Unknown' ? 'Unverified' : 'Ready';
}

/** The failure that stands between the component and what its entry asks for; an older one is history. */
function failureOf({ record, entry, decision }: ComponentView): ComponentRecord['failed'] {
  const failed = record?.failed;
  if (failed === undefined || entry === undefined) return undefined;
  if (decision.do === 'Wait' && decision.reason !== 'Backoff') return undefined;
  const asksForIt =
    failed.removal === true
      ? entry.state === 'Absent'
      : entry.state === 'Present' && entry.revision === failed.revision;
  return asksForIt ? failed : undefined;
}

function messageOf(view: ComponentView, state: ComponentState): string {
  const { decision, record, operation, judgement, entry, leave } = view;
  if (operation?.asks !== undefined && operation.step === 'leave')
    return `${operation.reason}; ${describeWait(operation.asks, leave)}`;
  if (operation?.step === 'reboot') return `${operation.reason}; ${describeReboot(operation, leave)}`;
  if (operation !== undefined && operation.kind !== 'Repair') return operation.reason;
  const parts: string[] = [];
  const failed = state === 'Failed' ? failureOf(view) : undefined;
  if (failed) parts.push(failed.message, nextTry(failed.retryAt));
  else if (decision.do === 'Wait') parts.push(decision.message);
  if (view.contest !== undefined) parts.push(view.contest.message);
  else if (judgement && judgement.message !== '') parts.push(judgement.message);
  const asks = asksOf(view);
  if (asks !== undefined) parts.push(describeWait(asks, leave));
  if (entry === undefined && record?.applied) parts.push('no longer assigned to this machine; kept as it is');
  if (state === 'Unverified')
    parts.push('only its version command speaks for it: give the revision an artifact with a digest');
  return parts.join('. ');
}

function describeReboot({ reboot }: Operation, leave: Leave | undefined): string {
  if (leave === undefined || leave.kind !== 'Reboot' || leave.state !== 'Granted')
    return describeWait('Reboot', leave);
  return reboot?.leave === leave.id
    ? `the host was told to reboot under leave ${leave.id}`
    : 'reboots the host as soon as no other component is being worked on, under a leave that has not had its reboot';
}

function nextTry(retryAt: number | undefined): string {
  if (retryAt === undefined) return 'Not tried again until the revision or the retryToken changes';
  return `Tried again at ${new Date(retryAt).toISOString()}`;
}

/** The whole status, from all components. Pure. */
export function machineStatus(
  views: readonly ComponentView[],
  facts: HostFacts,
  about: {
    readonly generation: number;
    readonly agentVersion: string;
    readonly paused: boolean;
  },
): Omit<AgentStatus, 'components' | 'conditions'> & {
  readonly components: readonly Omit<MachineComponentStatus, 'since'>[];
  readonly conditions: readonly Omit<Condition, 'lastTransitionTime'>[];
} {
  const components = views.filter(isReported).map(componentStatus);
  const ready = components.filter(({ state }) => state === 'Ready').length;
  const observedGeneration = about.generation;
  const condition = (type: string, good: boolean, reason: string, message: string) => ({
    type,
    status: good ? ('True' as const) : ('False' as const),
    observedGeneration,
    reason,
    message,
  });
  const rest = components.filter(({ state }) => state !== 'Ready');
  return {
    observedGeneration,
    summary: `${ready}/${components.length}`,
    host: hostInfo(facts, about.agentVersion),
    components,
    conditions: [
      condition(
        'AgentReady',
        true,
        about.paused ? 'Paused' : 'Running',
        about.paused ? 'The Machine is paused: the agent only looks.' : 'The agent works.',
      ),
      rest.length === 0
        ? condition('ComponentsReady', true, 'AllReady', `All ${components.length} components are Ready.`)
        : condition('ComponentsReady', false, worst(rest), describeRest(rest).slice(0, 1024)),
    ],
  };
}

/** A removed component, and one that was never there and is asked to be absent, has nothing to report. */
function isReported({ entry, record, operation }: ComponentView): boolean {
  return (
    entry?.state === 'Present' ||
    record?.applied !== undefined ||
    operation !== undefined ||
    record?.failed !== undefined
  );
}

function hostInfo(facts: HostFacts, agentVersion: string): HostInfo {
  return {
    os: `${facts.osName} ${facts.osVersion}`.trim(),
    kernel: facts.kernel,
    arch: facts.arch,
    machineID: facts.machineID,
    bootID: facts.bootID,
    addresses: facts.addresses.slice(0, 8),
    agentVersion,
  };
}

const severity: readonly ComponentState[] = [
  'Failed',
  'Degraded',
  'RollingBack',
  'Unverified',
  'Removing',
  'Installing',
  'Waiting',
  'Ready',
];

function worst(rest: readonly { readonly state: ComponentState }[]): string {
  const state = severity.find((state) => rest.some((component) => component.state === state)) ?? 'Waiting';
  return `Component${state}`;
}

function describeRest(rest: readonly Omit<MachineComponentStatus, 'since'>[]): string {
  const sorted = rest.toSorted((a, b) => severity.indexOf(a.state) - severity.indexOf(b.state));
  const named = sorted
    .slice(0, mostNamed)
    .map(({ name, state, message }) => `${name} is ${state}${message ? `: ${message.slice(0, 200)}` : ''}`);
  const more = rest.length > mostNamed ? `; and ${rest.length - mostNamed} more` : '';
  return `${named.join('; ')}${more}.`;
}

/** Puts in since when things are so: kept from the status before where nothing changed. Pure. */
export function withTimes(
  status: ReturnType<typeof machineStatus>,
  before: AgentStatus | undefined,
  now: number,
): AgentStatus {
  const time = new Date(now).toISOString();
  const condTime = conditionTime(now);
  const states = new Map(before?.components.map((component) => [component.name, component]));
  const conditions = new Map(before?.conditions.map((condition) => [condition.type, condition]));
  return {
    ...status,
    components: status.components.map((component) => {
      const last = states.get(component.name);
      const same = last?.state === component.state && last.running === component.running;
      return { ...component, since: (same ? last.since : undefined) ?? time };
    }),
    conditions: status.conditions.map((condition) => {
      const last = conditions.get(condition.type);
      return {
        ...condition,
        lastTransitionTime: last?.status === condition.status ? last.lastTransitionTime : condTime,
      };
    }),
  };
}

/** The status of an agent that takes itself off the host; the Machine controller goes by the reason. Pure. */
export function withLeft(status: AgentStatus, now: number): AgentStatus {
  const left = {
    status: 'False' as const,
    reason: agentLeft,
    message: 'The agent took itself off the host.',
    lastTransitionTime: conditionTime(now),
  };
  return {
    ...status,
    conditions: status.conditions.map((condition) =>
      condition.type === 'AgentReady' ? { ...condition, ...left } : condition,
    ),
  };
}

function conditionTime(now: number): string {
  return new Date(now).toISOString().replace(/\.\d+Z$/, 'Z');
}

/** Whether nothing is under way: such a status is told at once. */
export function isSettled(status: AgentStatus): boolean {
  return status.components.every(({ state }) => !['Installing', 'RollingBack', 'Removing'].includes(state));
}
