/** Machines with Nodes and pods, for stories of drains: what kubelets, agents and controllers do is done by hand. */
import assert from 'node:assert/strict';
import { cordonAnnotation } from '@kubenode/api';
import { Machine, NodeDisruptionBudget } from '@kubenode/machine';
import { type Client, ConfigMap, Node, Pod, timestamp } from '@kubenode/runtime';
import { type Cluster, eventually } from './cluster.ts';

export type Asks = 'Restart' | 'Drain' | 'Reboot';
export type MachineObject = NonNullable<(typeof Machine)['objects']>;

export function drainScene(running: () => Cluster) {
  const admin = (): Client => running().admin;

  /** What a kubelet does for a pod that is told to end: here it ends at once. */
  async function endPods(signal: AbortSignal): Promise<void> {
    const events = admin().watch(Pod, { namespace: 'default', signal });
    for await (const event of events) {
      if (!('object' in event) || event.type === 'DELETED') continue;
      const { name, uid, deletionTimestamp } = event.object.metadata;
      if (deletionTimestamp === undefined) continue;
      const gone = { gracePeriodSeconds: 0, ...(uid === undefined ? {} : { uid }) };
      await admin().delete(Pod, { namespace: 'default', name }, gone);
    }
  }

  /** A Machine with a Node that is Ready, and an agent that reports what `asks` and `report` say. */
  async function host(name: string, unschedulable = false): Promise<void> {
    await admin().create(Node, {
      metadata: { name, labels: { 'kubenode.io/machine': name } },
      ...(unschedulable ? { spec: { unschedulable } } : {}),
    });
    const conditions = [{ type: 'Ready', status: 'True' as const, reason: 'KubeletReady', message: '' }];
    await admin().patch(
      Node,
      name,
      { type: 'merge', body: { status: { conditions } } },
      { subresource: 'status' },
    );
    await admin().apply(
      Machine,
      { metadata: { name }, spec: { nodeName: name } },
      { fieldManager: 'test', force: true },
    );
  }

  async function report(name: string, asks?: Asks): Promise<void> {
    const condition = (type: string, status: 'True' | 'False') => ({
      type,
      status,
      reason: status === 'True' ? 'Reported' : 'ComponentWaiting',
      message: '',
      lastTransitionTime: timestamp(Date.now()),
    });
    const components = [
      {
        name: 'kernel',
        state: asks === undefined ? ('Ready' as const) : ('Waiting' as const),
        ...(asks && { asks }),
      },
    ];
    const conditions = [
      condition('AgentReady', 'True'),
      condition('ComponentsReady', asks === undefined ? 'True' : 'False'),
    ];
    await admin().apply(
      Machine,
      { metadata: { name }, status: { components, conditions } },
      { fieldManager: 'kubenode-agent', force: true, subresource: 'status' },
    );
  }

  /** Something that is there stands for the ReplicaSet of pods: the garbage collector would take them away without it. */
  async function ownerID(): Promise<string> {
    const metadata = { namespace: 'default', name: 'web' };
    const { metadata: made } = await admin().apply(ConfigMap, { metadata }, { fieldManager: 'test' });
    return made.uid ?? '';
  }

  /** A pod on that Node that a controller would make anew, or one that nobody would. */
  async function pod(name: string, nodeName: string, owned = true): Promise<void> {
    const owner = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      name: 'web',
      uid: await ownerID(),
      controller: true,
    };
    await admin().create(Pod, {
      metadata: {
        name,
        namespace: 'default',
        labels: { app: nodeName },
        ...(owned ? { ownerReferences: [owner] } : {}),
      },
      spec: { nodeName, containers: [{ name: 'c', image: 'none' }] },
    });
    const status = { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] };
    const key = { namespace: 'default', name };
    await admin().patch(Pod, key, { type: 'merge', body: { status } }, { subresource: 'status' });
  }

  const node = async (name: string) => {
    const found = await admin().get(Node, name);
    assert.ok(found);
    return found;
  };
  const isCordoned = async (name: string): Promise<boolean> =>
    (await node(name)).spec?.unschedulable === true;
  const inState = (name: string, state: string | undefined): Promise<MachineObject> =>
    eventually(
      `the leave of ${name} is ${state ?? 'gone'}`,
      () => running().machine(name),
      ({ status }) => status?.disruption?.state === state,
    );
  const grants = async (machine: string): Promise<number> => {
    const budget = await admin().get(NodeDisruptionBudget, 'default');
    return (budget?.status?.grants ?? []).filter((grant) => grant.machine === machine).length;
  };
  const isPutBack = async (name: string): Promise<void> => {
    await inState(name, undefined);
    await eventually(
      'nothing on the Node tells of it',
      () => node(name),
      ({ metadata }) => metadata.annotations?.[cordonAnnotation] === undefined,
    );
    await eventually(
      'the grant is given back',
      () => grants(name),
      (count) => count === 0,
    );
  };
  const withTimeout = (timeout: string, onTimeout: 'Abort' | 'Force') =>
    admin().patch(NodeDisruptionBudget, 'default', {
      type: 'merge',
      body: { spec: { drain: { timeout, onTimeout } } },
    });

  return { admin, endPods, host, report, pod, node, isCordoned, inState, grants, isPutBack, withTimeout };
}
