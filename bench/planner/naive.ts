import type { MachineView } from '../../packages/machine/src/member/view.ts';

/**
 * What most controllers do at each event, as a peer: looks at every machine of the set, counts, and says which move next. Simpler than
 * ours: one set, no variables, no failures, no order.
 */
export function naivePlan(
  machines: readonly MachineView[],
  component: string,
  revision: string,
  batchSize: number,
): { readonly ready: number; readonly moves: readonly string[] } {
  let ready = 0;
  let outstanding = 0;
  const waiting: string[] = [];
  for (const machine of machines) {
    const entry = machine.entries.find(({ name }) => name === component);
    const status = machine.components.get(component);
    if (entry?.revision !== revision) waiting.push(machine.name);
    else if (status?.state === 'Ready' && status.movedAt === entry.movedAt) ready += 1;
    else outstanding += 1;
  }
  return { ready, moves: outstanding > 0 ? [] : waiting.slice(0, batchSize) };
}
