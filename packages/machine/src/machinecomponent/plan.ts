import { inUseFinalizer } from '@kubenode/api';
import type { Revision } from '../caches.ts';

/** Who needs a revision. */
export interface Use {
  /** Machines that name it: it belongs on them, runs there, or is what they would go back to. */
  readonly machines: readonly string[];
  /** A set names it, so machines may be moved to it at any time. */
  readonly bySet: boolean;
}

/** What happens to the finalizer, and what to tell when a deletion has to wait. */
export type FinalizerPlan =
  | { readonly kind: 'None' | 'Add' | 'Release' }
  | { readonly kind: 'Hold'; readonly note: string };

/**
 * A revision stays while any machine needs it, whatever a GitOps tool prunes: its agents fetch it again after a restart, and go back to
 * it when the next one fails. A set alone does not hold back a deletion.
 */
export function planFinalizer({ metadata }: Revision, use: Use): FinalizerPlan {
  const isHeld = metadata.finalizers?.includes(inUseFinalizer) === true;
  const isInUse = use.machines.length > 0;
  if (metadata.deletionTimestamp === undefined) {
    const wanted = isInUse || use.bySet;
    if (wanted === isHeld) return { kind: 'None' };
    return { kind: wanted ? 'Add' : 'Release' };
  }
  if (!isHeld) return { kind: 'None' };
  if (!isInUse) return { kind: 'Release' };
  const named = use.machines.slice(0, 3).join(', ');
  const rest = use.machines.length > 3 ? ` and ${use.machines.length - 3} more` : '';
  const note = `Kept until no Machine names it any more; now ${named}${rest} do. Nothing changes on the hosts. Move them to another revision to let it go.`;
  return { kind: 'Hold', note };
}
