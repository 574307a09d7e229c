/** Evictions, with and without a PodDisruptionBudget that forbids them. */
import { type Conversation, patchTypes, type Step } from '../conversation.ts';

const pods = '/api/v1/namespaces/default/pods';
const budgets = '/apis/policy/v1/namespaces/default/poddisruptionbudgets';
const labels = { app: 'differential-evicted' };

/** A pod that runs, as far as its status says: no kubelet is there. */
function running(name: string, ready: boolean): Step[] {
  return [
    {
      name: `create ${name}`,
      method: 'POST',
      path: pods,
      body: {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name, labels },
        spec: { automountServiceAccountToken: false, containers: [{ name: 'c', image: 'none' }] },
      },
      uncompared: 'the real server fills in every default of a pod',
      until: ({ status }) => status === 201,
    },
    {
      name: `${name} runs`,
      method: 'PATCH',
      type: patchTypes.merge,
      path: `${pods}/${name}/status`,
      body: {
        status: { phase: 'Running', conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] },
      },
      uncompared: 'the real server fills in every default of a pod',
    },
  ];
}

const evict = (what: string, name: string, until?: number): Step => ({
  name: what,
  method: 'POST',
  path: `${pods}/${name}/eviction`,
  body: { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name, namespace: 'default' } },
  ...(until === undefined ? {} : { until: ({ status, body }) => status === until && !isProcessing(body) }),
});

/** The real server's controller has not looked at the budget yet. */
function isProcessing(body: unknown): boolean {
  return JSON.stringify(body).includes('still being processed');
}

const budget = (name: string, minAvailable: number): Step => ({
  name: `create budget ${name}`,
  method: 'POST',
  path: budgets,
  body: {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: { name },
    spec: { minAvailable, selector: { matchLabels: labels } },
  },
  uncompared: 'only what it does to evictions is compared',
});

export const evictions: Conversation = {
  name: 'evictions',
  steps: [
    evict('evict a pod that is not there', 'differential-none'),
    ...running('differential-free', true),
    evict('evict without a budget', 'differential-free'),
    evict('evict it again', 'differential-free'),
    ...running('differential-a', true),
    ...running('differential-b', true),
    budget('differential-pdb', 2),
    evict('evict against the budget', 'differential-a', 429),
    {
      name: 'let one go',
      method: 'PATCH',
      type: patchTypes.merge,
      path: `${budgets}/differential-pdb`,
      body: { spec: { minAvailable: 1 } },
      uncompared: 'only what it does to evictions is compared',
    },
    evict('evict one, as the budget allows', 'differential-a', 201),
    evict('evict the last', 'differential-b', 429),
    ...running('differential-broken', false),
    evict('evict one that is not ready and not needed', 'differential-broken', 201),
    budget('differential-second', 1),
    evict('evict under two budgets', 'differential-b', 500),
    {
      name: 'delete budgets',
      method: 'DELETE',
      path: budgets,
      uncompared: 'cleaning up',
    },
    { name: 'delete pods', method: 'DELETE', path: pods, uncompared: 'cleaning up' },
  ],
};
