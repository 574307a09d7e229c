import type { NodeDisruptionBudget } from '@kubenode/api';
import { findCondition } from '@kubenode/runtime';
import type { Branch } from './branch.ts';

/** The disruption budget in one line, and what it denies now. Pure. */
export function budgetBranch({ metadata, spec, status }: NodeDisruptionBudget): Branch {
  const { active = 0, machines = 0, unhealthy = 0, grants = [], denials = [] } = status ?? {};
  const hour = (status?.hour ?? []).reduce((sum, { starts }) => sum + starts, 0);
  const ready = findCondition(status?.conditions, 'Ready');
  const shut =
    ready === undefined || ready.status === 'True' ? '' : `  closed (${ready.reason}): ${ready.message}`;
  const text = `budget/${metadata.name}  ${active} disrupted now of at most ${spec.concurrent.cluster}  ${hour} in this hour of ${spec.starts.perHour}  ${unhealthy} of ${machines} machines not Ready${shut}`;
  const held = grants.slice(0, 8).map(({ holder, machine, kind }) => {
    const by = holder === `machine/${machine}` ? '' : `  by ${holder}`;
    return { text: `${kind} of ${machine}${by}` };
  });
  const more = grants.length > held.length ? [{ text: `${grants.length - held.length} more under way` }] : [];
  const denied = denials.map(({ holder, limit, message }) => ({
    text: `denied to ${holder} by ${limit}: ${message}`,
  }));
  return { text, branches: [...held, ...more, ...denied] };
}
