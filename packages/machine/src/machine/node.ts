import { type Machine, type MachineTaint, machineLabel, uninitializedTaint } from '@kubenode/api';
import type { Taint } from '@kubenode/runtime';

/** What is read of a Node. */
export interface NodeView {
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly taints: readonly Taint[];
  readonly kubeletVersion: string | undefined;
  readonly ready: { readonly status: string; readonly reason: string; readonly message: string } | undefined;
  /** No new pods are put there. */
  readonly unschedulable?: boolean;
  /** Of the boot that its kubelet runs in. */
  readonly bootID?: string;
  /** Conditions other than Ready that are True, and so say that something is wrong. */
  readonly problems: readonly NodeProblem[];
}

export interface NodeProblem {
  /** Type of the condition. */
  readonly type: string;
  readonly reason: string;
  /** RFC 3339; '' where the condition does not say. */
  readonly since: string;
}

/** On the Node: which keys we brought, so that they can be taken away again and no other is ever touched. */
export const trackingAnnotations = {
  labels: 'kubenode.io/labels-from-machine',
  annotations: 'kubenode.io/annotations-from-machine',
  taints: 'kubenode.io/taints-from-machine',
  /** Taints of the kind OnInitialization that were put there once. */
  taintsOnce: 'kubenode.io/taints-once-from-machine',
} as const;

/** A merge patch of a Node, with its resourceVersion so that nobody's taint gets lost. */
export interface NodePatch {
  readonly metadata: {
    readonly resourceVersion: string;
    readonly labels?: Readonly<Record<string, string | null>>;
    readonly annotations?: Readonly<Record<string, string | null>>;
  };
  readonly spec?: { readonly taints: readonly Taint[] };
}

type Strings = Readonly<Record<string, string>>;
type Changes = Record<string, string | null>;

/**
 * What to write so that the Node carries what the Machine declares and no longer what it declared before; undefined: nothing.
 * @param initialized the components were Ready once: the taint that kept pods away goes
 */
export function planNode(machine: Machine, node: NodeView, initialized: boolean): NodePatch | undefined {
  const declared = machine.spec.node ?? {};
  const labels = planMap(
    { ...declared.labels, [machineLabel]: machine.metadata.name },
    node.labels,
    tracked(node, 'labels'),
  );
  const annotations = planMap(declared.annotations ?? {}, node.annotations, tracked(node, 'annotations'));
  const taints = planTaints(declared.taints ?? [], node, initialized);
  return patch(node, labels, { ...annotations, ...track(node, declared, taints.once) }, taints.list);
}

/** What to write so that nothing of the Machine is left on the Node, for a Machine that is deleted with its host's components. */
export function planNodeRemoval(node: NodeView): NodePatch | undefined {
  const labels = planMap({}, node.labels, [...tracked(node, 'labels'), machineLabel]);
  const annotations = planMap({}, node.annotations, [
    ...tracked(node, 'annotations'),
    ...Object.values(trackingAnnotations),
  ]);
  return patch(node, labels, annotations, planTaints([], node, true).list);
}

function patch(
  node: NodeView,
  labels: Changes,
  annotations: Changes,
  taints: readonly Taint[] | undefined,
): NodePatch | undefined {
  const some = (changes: Changes): boolean => Object.keys(changes).length > 0;
  if (!some(labels) && !some(annotations) && taints === undefined) return undefined;
  return {
    metadata: {
      resourceVersion: node.resourceVersion,
      ...(some(labels) ? { labels } : {}),
      ...(some(annotations) ? { annotations } : {}),
    },
    ...(taints === undefined ? {} : { spec: { taints } }),
  };
}

function planMap(declared: Strings, present: Strings, ours: readonly string[]): Changes {
  const changes: Changes = {};
  for (const [key, value] of Object.entries(declared)) if (present[key] !== value) changes[key] = value;
  for (const key of ours) if (!(key in declared) && key in present) changes[key] = null;
  return changes;
}

const taintKey = (taint: Pick<Taint, 'key' | 'effect'>): string => `${taint.key}:${taint.effect}`;

interface TaintPlan {
  /** The whole list, undefined: as it is. */
  readonly list: readonly Taint[] | undefined;
  /** The taints of the kind OnInitialization that were put there. */
  readonly once: readonly string[];
}

function planTaints(declared: readonly MachineTaint[], node: NodeView, initialized: boolean): TaintPlan {
  const before = new Set([...tracked(node, 'taints'), ...tracked(node, 'taintsOnce')]);
  const putOnce = new Set(tracked(node, 'taintsOnce'));
  const wanted = new Map(declared.map((taint) => [taintKey(taint), taint]));
  const list: Taint[] = [];
  let changed = false;
  for (const taint of node.taints) {
    const key = taintKey(taint);
    const want = wanted.get(key);
    const isOver = initialized && taint.key === uninitializedTaint;
    if (isOver || (want === undefined && before.has(key))) {
      changed = true;
    } else if (want?.propagation === 'Always' && (want.value ?? '') !== (taint.value ?? '')) {
      list.push(taintOf(want));
      changed = true;
    } else list.push(taint);
  }
  const present = new Set(node.taints.map(taintKey));
  for (const [key, want] of wanted) {
    if (present.has(key) || (want.propagation === 'OnInitialization' && putOnce.has(key))) continue;
    list.push(taintOf(want));
    changed = true;
  }
  const once = declared.filter((taint) => taint.propagation === 'OnInitialization').map(taintKey);
  return { list: changed ? list : undefined, once };
}

function taintOf({ key, value, effect }: MachineTaint): Taint {
  return { key, ...(value === undefined ? {} : { value }), effect };
}

function tracked(node: NodeView, what: keyof typeof trackingAnnotations): string[] {
  return (node.annotations[trackingAnnotations[what]] ?? '').split(',').filter((key) => key !== '');
}

function track(
  node: NodeView,
  declared: NonNullable<Machine['spec']['node']>,
  once: readonly string[],
): Changes {
  const always = (declared.taints ?? []).filter((taint) => taint.propagation === 'Always').map(taintKey);
  const wanted: Record<keyof typeof trackingAnnotations, readonly string[]> = {
    labels: Object.keys(declared.labels ?? {}),
    annotations: Object.keys(declared.annotations ?? {}),
    taints: always,
    taintsOnce: once,
  };
  const changes: Changes = {};
  for (const what of ['labels', 'annotations', 'taints', 'taintsOnce'] as const) {
    const annotation = trackingAnnotations[what];
    const value = [...wanted[what]].sort().join(',');
    const present = node.annotations[annotation];
    if (value === '' ? present !== undefined : present !== value)
      changes[annotation] = value === '' ? null : value;
  }
  return changes;
}
