import type { Condition } from '../client/object.ts';

/** A condition as a writer knows it; the time of the last transition is found out. */
export type ConditionInput = Omit<Condition, 'lastTransitionTime'>;

/**
 * The list with that condition set. `lastTransitionTime` changes only with `status`. Returns the very same list when nothing changed,
 * so that `!==` says whether to write. @param now epoch milliseconds
 */
export function setCondition(
  list: readonly Condition[] | undefined,
  input: ConditionInput,
  now: number,
): readonly Condition[] {
  const before = list ?? [];
  const old = before.find((condition) => condition.type === input.type);
  if (
    list !== undefined &&
    old !== undefined &&
    old.status === input.status &&
    old.reason === input.reason &&
    old.message === input.message &&
    old.observedGeneration === input.observedGeneration
  ) {
    return list;
  }
  const next: Condition = {
    ...input,
    lastTransitionTime:
      old !== undefined && old.status === input.status ? old.lastTransitionTime : timestamp(now),
  };
  return old === undefined
    ? [...before, next]
    : before.map((condition) => (condition === old ? next : condition));
}

/** The condition of that type. */
export function findCondition(list: readonly Condition[] | undefined, type: string): Condition | undefined {
  return list?.find((condition) => condition.type === type);
}

/** True where the condition is there and its status is True. */
export function isTrue(list: readonly Condition[] | undefined, type: string): boolean {
  return findCondition(list, type)?.status === 'True';
}

/** metav1.Time: RFC 3339 with seconds. @param ms epoch milliseconds */
export function timestamp(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}

/** metav1.MicroTime, as Leases have it. @param ms epoch milliseconds */
export function microTimestamp(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 23)}000Z`;
}
