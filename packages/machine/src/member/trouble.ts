import type { ComponentView, MachineView } from './view.ts';

/** Something on a machine that is not as it should be, besides the component that is rolled out. */
export interface Trouble {
  readonly what: string;
  /** Since when, epoch milliseconds; 0 where that is not known. */
  readonly since: number;
  /** False: it is on its way, or nothing can be told. */
  readonly certain: boolean;
}

/** What is wrong on a machine besides one of its components: the others, the Node, and what problem detectors say of it. */
export function troublesOf(machine: MachineView, component: string): readonly Trouble[] {
  const found: Trouble[] = [];
  for (const [name, status] of machine.components) {
    if (name !== component) found.push(...troubleOf(name, status));
  }
  const { nodeReady } = machine;
  if (nodeReady !== undefined && nodeReady.status !== 'True') {
    found.push({
      what: `the Node is not Ready: ${nodeReady.message || nodeReady.reason}`,
      since: nodeReady.since,
      certain: nodeReady.status === 'False',
    });
  }
  for (const { type, reason, since } of machine.nodeProblems) {
    const what = `the Node has ${type}${reason === '' ? '' : ` (${reason})`}`;
    found.push({ what, since: Date.parse(since) || 0, certain: true });
  }
  return found;
}

const wrong: ReadonlySet<string> = new Set(['Failed', 'Degraded', 'RollingBack']);
const moving: ReadonlySet<string> = new Set(['Waiting', 'Installing', 'Removing']);

/** Whether a state says that the component does not work. What moves can't be told yet. */
export function isWrong(state: ComponentView['state'] | undefined): boolean {
  return state !== undefined && wrong.has(state);
}

function troubleOf(name: string, { state, message, since, asks }: ComponentView): Trouble[] {
  // Who waits for leave to be disturbed works as before.
  if (asks !== undefined) return [];
  const what = `${name} is ${state}${message === '' ? '' : `: ${message}`}`;
  if (wrong.has(state)) return [{ what, since, certain: true }];
  return moving.has(state) ? [{ what, since, certain: false }] : [];
}
