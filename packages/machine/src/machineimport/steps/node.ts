import { findCondition } from '@kubenode/runtime';
import type { Step } from '../deps.ts';
import { gone } from './components.ts';

const againMs = 10_000;

/** The Node is Ready. Only asked for where spec.machine.nodeName is set. */
export const node: Step = async (work) => {
  const { name, nodeName = '' } = work.object.spec.machine;
  const machine = await work.machine();
  if (machine === undefined) return gone(name);
  const ready = findCondition(machine.status?.conditions, 'NodeReady');
  if (ready?.status === 'True' && ready.observedGeneration === machine.metadata.generation) {
    return { state: 'Done', message: `Node ${nodeName} is Ready` };
  }
  return { state: 'Waiting', message: ready?.message || `waits for Node ${nodeName}`, againMs };
};
