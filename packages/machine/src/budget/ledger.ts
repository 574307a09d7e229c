import type {
  DisruptionDenial,
  DisruptionGrant,
  NodeDisruptionBudgetSpec,
  NodeDisruptionBudgetStatus,
} from '@kubenode/api';
import { parseDuration, timestamp } from '@kubenode/runtime';
import type { Denial, Want } from './budget.ts';
import {
  type Active,
  activeOf,
  closedMs,
  type Counts,
  forbidden,
  mostGrants,
  spent,
  tooManyAtOnce,
  tooManyInZone,
} from './limits.ts';
import { addStart, settleStarts } from './starts.ts';

type Status = NodeDisruptionBudgetStatus;

/** What came of asking. */
export interface Draw {
  /** The ledger with the new grants and denials. */
  readonly status: Status;
  /** Machines that may be disturbed, in the order asked; those that had their grant before are among them. */
  readonly granted: readonly string[];
  /** Grants that were not there before. */
  readonly fresh: readonly DisruptionGrant[];
  /** The first denial. */
  readonly denied: Denial | undefined;
  /** Holders that are denied by another limit than before, or for the first time. */
  readonly newlyDenied: ReadonlyMap<string, Denial>;
}

const mostDenials = 32;
/** A denial that was not repeated for so long makes room for another. Milliseconds. */
const denialStaleMs = 600_000;
const longestMessage = 512;

/**
 * The ledger as it stands at `now`: begun where it was missing, what is over dropped, and times in the future drawn back to now, since they
 * come from a clock that was ahead. Only machines that were never moved make a missing ledger begin open.
 */
export function settle(before: Status | undefined, everMoved: boolean, now: number): Status {
  const { minute: _m, hour: _h, day: _d, since, deniedUntil, grants, denials, ...rest } = before ?? {};
  const began = since === undefined ? now : Math.min(Date.parse(since), now);
  const closed =
    since === undefined && everMoved
      ? now + closedMs
      : deniedUntil === undefined
        ? now
        : Math.min(Date.parse(deniedUntil), now + closedMs);
  const inForce = (grants ?? []).flatMap((grant) => settleGrant(grant, now) ?? []);
  const recent = (denials ?? []).filter(({ at }) => Date.parse(at) > now - 86_400_000);
  return {
    ...rest,
    since: timestamp(began),
    ...(closed > now ? { deniedUntil: timestamp(closed) } : {}),
    ...settleStarts(before ?? {}, now),
    ...(inForce.length > 0 ? { grants: inForce } : {}),
    ...(recent.length > 0 ? { denials: recent } : {}),
  };
}

function settleGrant(grant: DisruptionGrant, now: number): DisruptionGrant | undefined {
  const at = Date.parse(grant.at);
  const until = Date.parse(grant.until);
  if (at > now) return { ...grant, at: timestamp(now), until: timestamp(now + until - at) };
  return until > now ? grant : undefined;
}

/**
 * Takes as many of the wants as the limits allow, in their order. Who holds a grant for a machine has it again at no cost; a second holder
 * for the same machine costs a start, and no place among those disrupted at once.
 */
export function draw(
  spec: NodeDisruptionBudgetSpec,
  before: Status | undefined,
  counts: Counts,
  wants: readonly Want[],
  now: number,
): Draw {
  let status = settle(before, counts.everMoved, now);
  const held = new Set((status.grants ?? []).map(keyOfGrant));
  const granted: string[] = [];
  const fresh: DisruptionGrant[] = [];
  const denials = new Map<string, Denial>();
  const all = wants.length === 0 ? undefined : forbidden(spec, status, counts, now);
  const { machines, perZone } = activeOf(status);
  const active = { machines: new Set(machines), perZone: new Map(perZone) };
  const grants = [...(status.grants ?? [])];
  for (const want of wants) {
    if (held.has(keyOfGrant(want))) {
      granted.push(want.machine);
      continue;
    }
    const zone = counts.zoneOf(want.machine);
    const denial =
      all ??
      spent(spec, status, counts, now) ??
      tooMany(spec, counts, active, want.machine, zone, grants.length);
    if (denial !== undefined) {
      if (!denials.has(want.holder)) denials.set(want.holder, denial);
      continue;
    }
    const grant = grantFor(spec, want, zone, now);
    held.add(keyOfGrant(want));
    granted.push(want.machine);
    fresh.push(grant);
    grants.push(grant);
    status = { ...status, ...addStart(status, now) };
    if (!active.machines.has(want.machine)) {
      active.machines.add(want.machine);
      active.perZone.set(zone, (active.perZone.get(zone) ?? 0) + 1);
    }
  }
  const noted = noteDenials(status.denials ?? [], denials, new Set(fresh.map(({ holder }) => holder)), now);
  const { denials: _, ...others } = status;
  return {
    status: {
      ...others,
      ...(grants.length > 0 ? { grants } : {}),
      ...(noted.list.length > 0 ? { denials: noted.list } : {}),
    },
    granted,
    fresh,
    denied: denials.values().next().value,
    newlyDenied: noted.news,
  };
}

function tooMany(
  spec: NodeDisruptionBudgetSpec,
  counts: Counts,
  active: Active,
  machine: string,
  zone: string,
  held: number,
): Denial | undefined {
  if (held >= mostGrants) {
    const message = `The ledger holds ${mostGrants} grants, its most; the next may begin when one of them is given back.`;
    return { limit: 'concurrent.cluster', message };
  }
  if (active.machines.has(machine)) return undefined;
  return tooManyAtOnce(spec, counts, active) ?? tooManyInZone(spec, counts, active, zone);
}

function grantFor(spec: NodeDisruptionBudgetSpec, want: Want, zone: string, now: number): DisruptionGrant {
  return {
    holder: want.holder,
    machine: want.machine,
    ...(zone === '' ? {} : { zone }),
    kind: want.kind,
    at: timestamp(now),
    until: timestamp(now + parseDuration(spec.grantTimeout)),
  };
}

/** Without the grants that were given back. @param keys as `keyOfGrant` makes them */
export function giveBack(status: Status, keys: ReadonlySet<string>): Status {
  const { grants = [], ...rest } = status;
  const left = grants.filter((grant) => !keys.has(keyOfGrant(grant)));
  return left.length === grants.length ? status : { ...rest, ...(left.length > 0 ? { grants: left } : {}) };
}

export function keyOfGrant({ holder, machine }: { holder: string; machine: string }): string {
  return `${holder} ${machine}`;
}

/** The last denial of each holder: gone with its next grant, and of many only as many as there is room for. */
function noteDenials(
  before: readonly DisruptionDenial[],
  denied: ReadonlyMap<string, Denial>,
  served: ReadonlySet<string>,
  now: number,
): { list: DisruptionDenial[]; news: Map<string, Denial> } {
  const list = before.filter(({ holder }) => !served.has(holder) || denied.has(holder));
  const news = new Map<string, Denial>();
  for (const [holder, denial] of denied) {
    const index = list.findIndex((entry) => entry.holder === holder);
    const old = list[index];
    const next: DisruptionDenial = {
      holder,
      limit: denial.limit,
      at: timestamp(now),
      ...(denial.until === undefined ? {} : { until: timestamp(denial.until) }),
      message: denial.message.slice(0, longestMessage),
    };
    if (old !== undefined) {
      if (old.limit !== next.limit) news.set(holder, denial);
      // The same again is no news, and not worth a write before it would look old.
      const isRepeated = old.limit === next.limit && old.until === next.until;
      if (!isRepeated || now - Date.parse(old.at) > denialStaleMs / 2) list[index] = next;
      continue;
    }
    const stale = list.findIndex(({ at }) => now - Date.parse(at) > denialStaleMs);
    if (list.length < mostDenials) list.push(next);
    else if (stale >= 0) list[stale] = next;
    else continue;
    news.set(holder, denial);
  }
  return { list, news };
}

/** Machines by holder, but for grants that were given back. @param released as `keyOfGrant` makes them */
export function holdersOf(
  status: Status | undefined,
  released: ReadonlySet<string>,
): Map<string, Set<string>> {
  const holders = new Map<string, Set<string>>();
  for (const grant of status?.grants ?? []) {
    if (released.has(keyOfGrant(grant))) continue;
    const machines = holders.get(grant.holder) ?? new Set();
    holders.set(grant.holder, machines.add(grant.machine));
  }
  return holders;
}
