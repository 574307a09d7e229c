import type { DrainPolicy } from '@kubenode/api';
import type { Pod } from '@kubenode/runtime';

/** What a drain finds on a Node. */
export interface DrainPlan {
  /** To be evicted; empty while something is in the way. */
  readonly evict: readonly Pod[];
  /** On their way out already. */
  readonly ending: readonly Pod[];
  /** What may not be moved, and why; for people. */
  readonly inTheWay: readonly string[];
  /** All that has to go, whatever is in the way. */
  readonly left: readonly Pod[];
}

const mirrorAnnotation = 'kubernetes.io/config.mirror';

/**
 * Treats pods as `kubectl drain --ignore-daemonsets` does, with `--delete-emptydir-data` where the policy says Delete: those of a DaemonSet and mirror pods stay,
 * finished ones go like the others, and as long as one pod may not be moved none is. Without `--force`: a pod that no controller would make
 * anew is in the way.
 */
export function planDrain(pods: readonly Pod[], policy: Pick<DrainPolicy, 'emptyDir'>): DrainPlan {
  const left = pods.filter((pod) => !staysBehind(pod));
  const inTheWay = left.flatMap((pod) => {
    if (isFinished(pod) || isEnding(pod)) return [];
    if (controllerKind(pod) === undefined) {
      return [`pod ${nameOf(pod)} has no controller that would make it anew: delete it or move it by hand`];
    }
    const hasEmptyDir = (pod.spec?.volumes ?? []).some(({ emptyDir }) => emptyDir !== undefined);
    return hasEmptyDir && policy.emptyDir === 'Keep'
      ? [`pod ${nameOf(pod)} has an emptyDir, which spec.drain.emptyDir of the budget keeps`]
      : [];
  });
  const [ending, going] = [left.filter(isEnding), left.filter((pod) => !isEnding(pod))];
  return { evict: inTheWay.length > 0 ? [] : going, ending, inTheWay, left };
}

function staysBehind(pod: Pod): boolean {
  if (pod.metadata.annotations?.[mirrorAnnotation] !== undefined) return true;
  return controllerKind(pod) === 'DaemonSet' && !isFinished(pod);
}

function controllerKind({ metadata }: Pod): string | undefined {
  return metadata.ownerReferences?.find(({ controller }) => controller === true)?.kind;
}

function isFinished({ status }: Pod): boolean {
  return status?.phase === 'Succeeded' || status?.phase === 'Failed';
}

export function isEnding({ metadata }: Pod): boolean {
  return metadata.deletionTimestamp !== undefined;
}

/** `namespace/name`. */
export function nameOf({ metadata }: Pod): string {
  return `${metadata.namespace ?? ''}/${metadata.name}`;
}

/** The first of several reasons, and how many more there are. */
export function someOf(reasons: readonly string[]): string {
  const shown = reasons.slice(0, 3).join('; ');
  return reasons.length > 3 ? `${shown}; and ${reasons.length - 3} more` : shown;
}
