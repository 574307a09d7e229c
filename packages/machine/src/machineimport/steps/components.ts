import type { Machine } from '@kubenode/api';
import { findCondition } from '@kubenode/runtime';
import { desiredOf } from '../desired.ts';
import type { Step } from '../deps.ts';
import type { Outcome } from '../plan.ts';

const againMs = 10_000;

/** Everything that belongs on the machine is there and runs right. The Node is another step's business. */
export const components: Step = async (work) => {
  const machine = await work.machine();
  const { name } = work.object.spec.machine;
  if (machine === undefined) return gone(name);
  const { components: wanted } = await desiredOf(work.client, machine, work.now(), work.signal);
  return judgeComponents(
    machine,
    wanted.map((entry) => entry.name),
  );
};

/**
 * Pure.
 *
 * @param wanted components that the sets ask for: a Machine that is seconds old may be Ready with none of them told yet
 */
export function judgeComponents(machine: Machine, wanted: readonly string[]): Outcome {
  const { name, generation = 0 } = machine.metadata;
  const told = new Set((machine.spec.components ?? []).map((entry) => entry.name));
  const missing = wanted.filter((component) => !told.has(component));
  if (missing.length > 0) {
    const ready = findCondition(machine.status?.conditions, 'Ready');
    const why = ready === undefined || ready.status === 'True' ? '' : ` (${ready.message})`;
    return {
      state: 'Waiting',
      message: `Machine ${name}: not brought yet: ${missing.join(', ')}${why}`,
      againMs,
    };
  }
  const conditions = machine.status?.conditions;
  const ready = findCondition(conditions, 'Ready');
  const all = findCondition(conditions, 'ComponentsReady');
  const isCurrent = ready?.observedGeneration === generation && (all?.observedGeneration ?? -1) >= generation;
  // The Node comes last in that condition: where it is the reason, all else is right.
  const isRight = ready?.status === 'True' || ready?.reason.startsWith('Node') === true;
  if (isCurrent && isRight && all?.status === 'True') {
    const { summary } = machine.status ?? {};
    return {
      state: 'Done',
      message: `all components of Machine ${name} are Ready${summary === undefined ? '' : ` (${summary})`}`,
    };
  }
  return { state: 'Waiting', message: `Machine ${name}: ${unready(machine)}`, againMs };
}

function unready(machine: Machine): string {
  const all = machine.status?.components ?? [];
  const open = all.filter(({ state }) => state !== 'Ready');
  if (open.length > 0) {
    const named = open
      .slice(0, 4)
      .map(({ name, state, message = '' }) => `${name} ${state}${message === '' ? '' : ` (${message})`}`);
    return `${all.length - open.length} of ${all.length} components are Ready; ${named.join(', ')}`;
  }
  const ready = findCondition(machine.status?.conditions, 'Ready');
  return ready === undefined || ready.message === '' ? 'its components are not judged yet' : ready.message;
}

export function gone(name: string): Outcome {
  return { state: 'Failed', message: `Machine ${name} was deleted; change spec.retryToken to make it anew` };
}
