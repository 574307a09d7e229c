import type { NodeDisruptionBudgetSpec, NodeDisruptionBudgetStatus } from '@kubenode/api';
import { intOrPercent, timestamp } from '@kubenode/runtime';
import { windowAt } from '../window/window.ts';
import type { Denial } from './budget.ts';
import { spentStarts } from './starts.ts';

/** What the limits are measured against. */
export interface Counts {
  readonly machines: number;
  readonly unhealthy: number;
  isUnhealthy(machine: string): boolean;
  /** '' for a machine without the label, and for one that is not there. */
  zoneOf(machine: string): string;
  inZone(zone: string): number;
  /** Some machine was moved to a revision once: there was a ledger before, or should have been. */
  readonly everMoved: boolean;
}

/** Grants that the ledger has room for. */
export const mostGrants = 1024;
/** For so long a ledger that was missing or cleared denies everything. Milliseconds. */
export const closedMs = 3_600_000;

/** Machines with a grant, and how many of them each zone has. */
export interface Active {
  readonly machines: ReadonlySet<string>;
  readonly perZone: ReadonlyMap<string, number>;
}

export function activeOf({ grants = [] }: NodeDisruptionBudgetStatus): Active {
  const machines = new Set<string>();
  const perZone = new Map<string, number>();
  for (const { machine, zone = '' } of grants) {
    if (machines.has(machine)) continue;
    machines.add(machine);
    perZone.set(zone, (perZone.get(zone) ?? 0) + 1);
  }
  return { machines, perZone };
}

/** Unhealthy machines that nobody has a grant for: what is being disturbed is not ill, but disturbed. */
export function unhealthyOf(counts: Counts, { machines }: Active): number {
  let expected = 0;
  for (const machine of machines) if (counts.isUnhealthy(machine)) expected += 1;
  return counts.unhealthy - expected;
}

/** Why nothing may begin, however little was spent; undefined: something may. @param status settled at `now` */
export function forbidden(
  spec: NodeDisruptionBudgetSpec,
  status: NodeDisruptionBudgetStatus,
  counts: Counts,
  now: number,
): Denial | undefined {
  return closed(status) ?? outsideWindows(spec, now) ?? tooManyUnhealthy(spec, status, counts);
}

function closed({ deniedUntil }: NodeDisruptionBudgetStatus): Denial | undefined {
  if (deniedUntil === undefined) return undefined;
  return {
    limit: 'ledger',
    until: Date.parse(deniedUntil),
    message: `The ledger was missing or cleared: what was spent before is not known, so nothing begins before ${deniedUntil}. To go on at once, remove status.deniedUntil by hand.`,
  };
}

function outsideWindows(spec: NodeDisruptionBudgetSpec, now: number): Denial | undefined {
  const opening = windowAt(spec.windows, now);
  if (opening.open) return undefined;
  if (opening.problem !== undefined) return { limit: 'windows', message: `spec.${opening.problem}.` };
  return opening.next === undefined
    ? { limit: 'windows', message: 'No window opens within two weeks; change spec.windows.' }
    : {
        limit: 'windows',
        until: opening.next,
        message: `Outside spec.windows; the next one opens at ${timestamp(opening.next)}.`,
      };
}

function tooManyUnhealthy(
  spec: NodeDisruptionBudgetSpec,
  status: NodeDisruptionBudgetStatus,
  counts: Counts,
): Denial | undefined {
  const most = intOrPercent(spec.maxUnhealthy, counts.machines);
  const unhealthy = unhealthyOf(counts, activeOf(status));
  if (unhealthy <= most) return undefined;
  return {
    limit: 'maxUnhealthy',
    message: `${unhealthy} of ${counts.machines} machines are not Ready, and spec.maxUnhealthy ${spec.maxUnhealthy} allows ${most}. Mend them; or, where this very change mends them, raise spec.maxUnhealthy for that time.`,
  };
}

/** Why no more may begin now; undefined: one may. @param status settled at `now` */
export function spent(
  spec: NodeDisruptionBudgetSpec,
  status: NodeDisruptionBudgetStatus,
  counts: Counts,
  now: number,
): Denial | undefined {
  const spentOf = spentStarts(status, spec.starts, counts.machines, now);
  if (spentOf === undefined) return undefined;
  const { field, stretch, used, limit, until } = spentOf;
  const next =
    until === undefined
      ? `raise spec.starts.${field} to allow any`
      : `the next may begin at ${timestamp(until)}, or earlier if spec.starts.${field} is raised`;
  return {
    limit: `starts.${field}`,
    ...(until === undefined ? {} : { until }),
    message: `${used} of ${limit} disruptions began in the last ${stretch}; ${next}.`,
  };
}

/** Why no machine more may be disrupted at the same time; undefined: one may. */
export function tooManyAtOnce(
  spec: NodeDisruptionBudgetSpec,
  counts: Counts,
  active: Active,
): Denial | undefined {
  const limit = Math.min(intOrPercent(spec.concurrent.cluster, counts.machines), mostGrants);
  const used = active.machines.size;
  if (used < limit) return undefined;
  return {
    limit: 'concurrent.cluster',
    message: `${used} of ${limit} machines are disrupted now (spec.concurrent.cluster ${spec.concurrent.cluster} of ${counts.machines}, ${mostGrants} at most); ${limit === 0 ? 'raise it to allow any' : 'the next may begin when one of them is done'}.`,
  };
}

/** The same, within one zone. */
export function tooManyInZone(
  spec: NodeDisruptionBudgetSpec,
  counts: Counts,
  active: Active,
  zone: string,
): Denial | undefined {
  const machines = counts.inZone(zone);
  const limit = intOrPercent(spec.concurrent.perZone, machines);
  const used = active.perZone.get(zone) ?? 0;
  if (used < limit) return undefined;
  const name = zone === '' ? `of the machines without label ${spec.zoneLabel}` : `in zone ${zone}`;
  return {
    limit: 'concurrent.perZone',
    message: `${used} of ${limit} machines ${name} are disrupted now (spec.concurrent.perZone ${spec.concurrent.perZone} of ${machines}); ${limit === 0 ? 'raise it to allow any' : 'the next may begin when one of them is done'}.`,
  };
}

/** What condition Ready says for each limit. */
export const reasons: Readonly<Record<string, string>> = {
  ledger: 'LedgerCleared',
  windows: 'OutsideWindows',
  maxUnhealthy: 'TooManyUnhealthy',
  'starts.perMinute': 'StartsPerMinuteSpent',
  'starts.perHour': 'StartsPerHourSpent',
  'starts.perDay': 'StartsPerDaySpent',
  'concurrent.cluster': 'ConcurrencyReached',
};
