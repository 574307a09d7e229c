import { cordonAnnotation } from '@kubenode/api';
import type { NodeView } from '../machine/node.ts';

/** Who has cordoned a Node, as our annotation on it says. */
export interface Cordon {
  readonly machine: string;
  /** id of the leave. */
  readonly leave: string;
  /** Somebody had cordoned it before: it stays so. */
  readonly wasCordoned: boolean;
}

/** A merge patch, with the resourceVersion: nobody's cordon is overwritten unseen. */
export interface CordonPatch {
  readonly metadata: {
    readonly resourceVersion: string;
    readonly annotations: Readonly<Record<string, string | null>>;
  };
  readonly spec?: { readonly unschedulable: true | null };
}

/** Our cordon of a Node; undefined where there is none. What can't be read is ours, and found cordoned: so it stays. */
export function cordonOf(node: Pick<NodeView, 'annotations'>): Cordon | undefined {
  const text = node.annotations[cordonAnnotation];
  if (text === undefined) return undefined;
  try {
    const { machine, leave, wasCordoned } = JSON.parse(text) as Partial<Cordon>;
    return {
      machine: typeof machine === 'string' ? machine : '',
      leave: typeof leave === 'string' ? leave : '',
      wasCordoned: wasCordoned !== false,
    };
  } catch {
    return { machine: '', leave: '', wasCordoned: true };
  }
}

/** What to write so that the Node takes no pods for this leave; undefined: it is so already, or somebody has let pods in again. */
export function planCordon(node: NodeView, machine: string, leave: string): CordonPatch | undefined {
  const held = cordonOf(node);
  if (held?.leave === leave && held.machine === machine) return undefined;
  const cordon: Cordon = {
    machine,
    leave,
    wasCordoned: held === undefined ? node.unschedulable === true : held.wasCordoned,
  };
  return {
    metadata: {
      resourceVersion: node.resourceVersion,
      annotations: { [cordonAnnotation]: JSON.stringify(cordon) },
    },
    spec: { unschedulable: true },
  };
}

/** What to write so that nothing of our cordon is left; undefined: there is nothing. */
export function planUncordon(node: NodeView): CordonPatch | undefined {
  const held = cordonOf(node);
  if (held === undefined) return undefined;
  return {
    metadata: { resourceVersion: node.resourceVersion, annotations: { [cordonAnnotation]: null } },
    ...(held.wasCordoned ? {} : { spec: { unschedulable: null } }),
  };
}
