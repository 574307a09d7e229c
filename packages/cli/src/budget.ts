import type { NodeDisruptionBudget as BudgetObject } from '@kubenode/api';
import { NodeDisruptionBudget } from '@kubenode/machine';
import { type Client, isKindMissing } from '@kubenode/runtime';

/** The budget that everything draws on; undefined where there is none, or the cluster does not know the kind yet. */
export async function readBudget(client: Client): Promise<BudgetObject | undefined> {
  try {
    return await client.get(NodeDisruptionBudget, 'default');
  } catch (error) {
    if (isKindMissing(error)) return undefined;
    throw error;
  }
}
