import type { Machine, NodeDisruptionBudget } from '@kubenode/api';
import { findCondition } from '@kubenode/runtime';
import type { Finding } from './finding.ts';

const deeds = { Restart: 'restart a process', Drain: 'drain it', Reboot: 'reboot it' } as const;

/** The leave that a machine waits for, or has, to be disturbed. */
export function disruptionFindings(machine: Machine, budget: NodeDisruptionBudget | undefined): Finding[] {
  const { name } = machine.metadata;
  const asking = (machine.status?.components ?? []).filter(({ asks }) => asks !== undefined);
  const { disruption } = machine.status ?? {};
  if (disruption === undefined) {
    const [first] = asking;
    if (first?.asks === undefined) return [];
    const denied = denialFinding(`machine/${name}`, budget, `leave to ${deeds[first.asks]}`);
    return [
      denied ?? {
        what: `leave to ${deeds[first.asks]}`,
        why: `${asking.map((component) => component.name).join(', ')} asks for it`,
        ...(first.since === undefined ? {} : { since: first.since }),
        next: 'it is given by the disruption budget as soon as the operator has looked',
      },
    ];
  }
  const { kind, state, since, until, message, aborts = 0 } = disruption;
  const denied = state === 'Waiting' ? denialFinding(`machine/${name}`, budget, '') : undefined;
  const nexts: Record<typeof state, string> = {
    Waiting: 'it is given when the disruption budget allows it',
    Draining: `${until === undefined ? 'when the last pod has gone' : 'when the last pod has gone, at the latest'} the agent goes on, or the drain is aborted`,
    Granted: 'the agent does what waited for it',
    Ending: 'the machine is put back to work as soon as it is well',
    Aborted: 'the machine is back at work; it is asked for again',
  };
  const at = until ?? denied?.at;
  const times = aborts === 1 ? 'once' : `${aborts} times`;
  const tries = aborts > 0 ? `, given up ${times} so far` : '';
  const help = helpOf(state, name, denied);
  return [
    {
      what: `leave to ${deeds[kind]}`,
      why: `${state}${tries}: ${message ?? denied?.why ?? 'no more is said'}`,
      since,
      next: nexts[state],
      ...(at === undefined ? {} : { at }),
      ...(help === undefined ? {} : { help }),
    },
  ];
}

function helpOf(
  state: NonNullable<NonNullable<Machine['status']>['disruption']>['state'],
  machine: string,
  denied: Finding | undefined,
): string | undefined {
  if (state === 'Waiting') return denied?.help;
  if (state !== 'Draining' && state !== 'Aborted') return undefined;
  return `kubectl get poddisruptionbudgets -A shows which forbid it; kubenode pause machine/${machine} gives up on it`;
}

/** What the budget has told a holder last, where it is still so. */
export function denialFinding(
  holder: string,
  budget: NodeDisruptionBudget | undefined,
  what: string,
): Finding | undefined {
  const denial = budget?.status?.denials?.find((one) => one.holder === holder);
  if (denial === undefined) return undefined;
  return {
    what: what === '' ? holder : what,
    why: `the disruption budget denies it by ${denial.limit}: ${denial.message}`,
    since: denial.at,
    next: 'it is given when the budget allows it',
    ...(denial.until === undefined ? {} : { at: denial.until }),
    help: 'kubectl edit nodedisruptionbudget default changes the limits',
  };
}

/** Nothing may be disturbed at all now. */
export function budgetFinding(budget: NodeDisruptionBudget | undefined): Finding | undefined {
  const ready = findCondition(budget?.status?.conditions, 'Ready');
  if (ready === undefined || ready.status === 'True') return undefined;
  const until = budget?.status?.deniedUntil;
  return {
    what: 'disruption budget',
    why: `${ready.reason}: ${ready.message}`,
    since: ready.lastTransitionTime,
    next: 'no healthy process is restarted, no machine drained or rebooted, until that is over',
    ...(until === undefined ? {} : { at: until }),
    help: 'kubenode get budgets -o wide; kubectl edit nodedisruptionbudget default changes the limits',
  };
}
