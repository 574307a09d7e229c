import type { LabelSelector, LabelSelectorRequirement } from '@kubenode/api';
import type { SetView } from './view.ts';

type Labels = Readonly<Record<string, string>>;

/** As Kubernetes matches label selectors; no selector matches everything. */
export function matches(selector: LabelSelector | undefined, labels: Labels): boolean {
  if (selector === undefined) return true;
  for (const [key, value] of Object.entries(selector.matchLabels ?? {})) {
    if (labels[key] !== value) return false;
  }
  return (selector.matchExpressions ?? []).every((requirement) => meets(requirement, labels));
}

const operators: Record<
  LabelSelectorRequirement['operator'],
  (value: string | undefined, values: readonly string[]) => boolean
> = {
  In: (value, values) => value !== undefined && values.includes(value),
  NotIn: (value, values) => value === undefined || !values.includes(value),
  Exists: (value) => value !== undefined,
  DoesNotExist: (value) => value === undefined,
};

function meets({ key, operator, values }: LabelSelectorRequirement, labels: Labels): boolean {
  return operators[operator](labels[key], values ?? []);
}

/** Who decides for one component of one machine. */
export type Decision =
  | { readonly kind: 'Set'; readonly set: SetView }
  | { readonly kind: 'Tie'; readonly sets: readonly SetView[] };

/**
 * Of the sets of one component that select the machine, the one of the highest priority. Two of the same priority are a tie: then nobody
 * decides, and the machine keeps what it has. Sets that are being deleted select nothing. undefined: no set selects it.
 */
export function decide(labels: Labels, sets: readonly SetView[]): Decision | undefined {
  let best: SetView[] = [];
  for (const set of sets) {
    if (set.deleting || !matches(set.selector, labels)) continue;
    const priority = best[0]?.priority;
    if (priority === undefined || set.priority > priority) best = [set];
    else if (set.priority === priority) best.push(set);
  }
  const [first] = best;
  if (first === undefined) return undefined;
  return best.length === 1 ? { kind: 'Set', set: first } : { kind: 'Tie', sets: best };
}

/** Sets by their component. */
export function byComponent(sets: Iterable<SetView>): Map<string, SetView[]> {
  const result = new Map<string, SetView[]>();
  for (const set of sets) {
    const list = result.get(set.component);
    if (list === undefined) result.set(set.component, [set]);
    else list.push(set);
  }
  return result;
}
