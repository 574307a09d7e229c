import { Machine, MachineComponentSet, MachineImport, NodeDisruptionBudget } from '@kubenode/machine';
import { type Client, type Informer, informer, type Kind, type KubeObject } from '@kubenode/runtime';
import type { Known } from './forest.ts';

/** Changes that come close together are drawn at once. */
const settleMs = 100;
/** Ages move on although nothing happens. */
const ageMs = 60_000;

/**
 * Calls `show` with all there is, and again each time something has changed, until the signal. Rejects where a watch cannot be had.
 *
 * @param labelSelector of the machines to be shown
 */
export async function watchForest(
  client: Client,
  labelSelector: string | undefined,
  show: (known: Known) => void,
  { signal, onResize }: { readonly signal: AbortSignal; readonly onResize: (redraw: () => void) => void },
): Promise<void> {
  const copy = <T extends KubeObject>(kind: Kind<T>, selector?: string): Informer<T> =>
    informer({
      client,
      kind,
      project: (object) => object,
      ...(selector === undefined ? {} : { labelSelector: selector }),
    });
  const all = copy(Machine);
  const machines = labelSelector === undefined ? all : copy(Machine, labelSelector);
  const sets = copy(MachineComponentSet);
  const imports = copy(MachineImport);
  const budgets = copy(NodeDisruptionBudget);
  const copies = [...new Set<Informer<KubeObject>>([all, machines, sets, imports, budgets])];
  const stop = new AbortController();
  const ended = AbortSignal.any([signal, stop.signal]);
  const running = Promise.all(copies.map((one) => one.run(ended)));
  let timer: NodeJS.Timeout | undefined;
  const redraw = (): void => {
    timer = undefined;
    show({
      all: [...all.values()],
      machines: [...machines.values()],
      sets: [...sets.values()],
      imports: [...imports.values()],
      budget: budgets.get('default'),
    });
  };
  const soon = (): void => {
    timer ??= setTimeout(redraw, settleMs);
  };
  const ageing = setInterval(soon, ageMs);
  try {
    await Promise.race([
      running,
      Promise.all([all, machines, sets, imports].map((one) => one.synced(ended))),
    ]);
    for (const one of copies) one.on(soon);
    onResize(soon);
    redraw();
    await running;
  } finally {
    clearInterval(ageing);
    clearTimeout(timer);
    stop.abort();
    await running.catch(() => undefined);
  }
}
