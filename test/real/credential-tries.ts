/** What somebody would try who has the credential of `h1`'s agent, and has no right to. */
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { agentGroup, type MachineComponentSpec } from '@kubenode/api';
import { Machine, MachineComponent, MachineImport, NodeDisruptionBudget } from '@kubenode/machine';
import {
  CertificateSigningRequest,
  type Client,
  ConfigMap,
  Event,
  Lease,
  Node,
  Secret,
} from '@kubenode/runtime';
import { certificateRequest } from '../../packages/agent/src/identity/request.ts';

export const system = 'kubenode-system';
export const apiServerClient = 'kubernetes.io/kube-apiserver-client';
export const status = { subresource: 'status' } as const;
const digest = `sha256:${'0'.repeat(64)}`;

export const merge = (body: object) => ({ type: 'merge', body }) as const;
export const strategic = (body: object) => ({ type: 'strategic', body }) as const;

/** What is tried with the credential of `h1`. Each is to be answered with 403. */
export const tries: Readonly<Record<string, (thief: Client) => Promise<unknown>>> = {
  "another Machine's spec": (thief) => thief.patch(Machine, 'h2', merge({ spec: { paused: true } })),
  "another Machine's status": (thief) =>
    thief.patch(Machine, 'h2', merge({ status: { summary: '9/9' } }), status),
  "another Machine's status, by apply": (thief) =>
    thief.apply(
      Machine,
      { metadata: { name: 'h2' }, status: { summary: '9/9' } },
      { ...status, fieldManager: 'kubenode-agent', force: true },
    ),
  "another Machine's labels": (thief) =>
    thief.patch(Machine, 'h2', merge({ metadata: { labels: { pool: 'mine' } } })),
  'its own spec': (thief) => thief.patch(Machine, 'h1', merge({ spec: { paused: true } })),
  'its own components': (thief) => thief.patch(Machine, 'h1', merge({ spec: { components: [] } })),
  'its own labels': (thief) => thief.patch(Machine, 'h1', merge({ metadata: { labels: { pool: 'mine' } } })),
  'conditions of its Machine that others write': (thief) =>
    thief.apply(
      Machine,
      {
        metadata: { name: 'h1' },
        status: {
          conditions: [
            {
              type: 'Ready',
              status: 'True',
              reason: 'Well',
              message: '',
              lastTransitionTime: '2026-01-01T00:00:00Z',
            },
          ],
        },
      },
      { ...status, fieldManager: 'thief', force: true },
    ),
  'leave for itself to disturb the host': (thief) =>
    thief.apply(
      Machine,
      {
        metadata: { name: 'h1' },
        status: {
          disruption: { kind: 'Reboot', state: 'Granted', id: 'mine', since: '2026-01-01T00:00:00Z' },
        },
      },
      { ...status, fieldManager: 'thief', force: true },
    ),
  'the disruption budget': (thief) =>
    thief.patch(NodeDisruptionBudget, 'default', merge({ spec: { maxUnhealthy: '100%' } })),
  "the disruption budget's ledger": (thief) =>
    thief.patch(NodeDisruptionBudget, 'default', merge({ status: { deniedUntil: null } }), status),
  'the eviction of a pod': (thief) =>
    thief.raw('POST', '/api/v1/namespaces/default/pods/any/eviction', {
      apiVersion: 'policy/v1',
      kind: 'Eviction',
      metadata: { name: 'any', namespace: 'default' },
    }),
  'its phase': (thief) => thief.patch(Machine, 'h1', merge({ status: { phase: 'Deleting' } }), status),
  'another Machine, made': (thief) =>
    thief.create(Machine, {
      metadata: { name: 'h3' },
      spec: { deletionPolicy: 'Retain', paused: false },
    }),
  'a revision, made': (thief) =>
    thief.create(MachineComponent, {
      metadata: { name: 'evil-1' },
      spec: { ...revision, component: 'evil' },
    }),
  'a revision, changed': (thief) =>
    thief.patch(MachineComponent, 'tool-1', merge({ metadata: { labels: { a: 'b' } } })),
  imports: (thief) => thief.list(MachineImport),

  "another Node's conditions": (thief) => thief.patch(Node, 'n2', strategic(condition('Broken')), status),
  "another Node's labels": (thief) => thief.patch(Node, 'n2', merge({ metadata: { labels: { a: 'b' } } })),
  'a Node of nobody': (thief) => thief.patch(Node, 'n3', strategic(condition('Broken')), status),
  "its own Node's labels": (thief) => thief.patch(Node, 'n1', merge({ metadata: { labels: { a: 'b' } } })),
  "its own Node's labels, through status": (thief) =>
    thief.patch(Node, 'n1', merge({ metadata: { labels: { a: 'b' } } }), status),
  "its own Node's annotations, through status": (thief) =>
    thief.patch(Node, 'n1', merge({ metadata: { annotations: { a: 'b' } } }), status),
  "its own Node's taints": (thief) => thief.patch(Node, 'n1', merge({ spec: { taints: [] } })),
  "its own Node's addresses": (thief) =>
    thief.patch(
      Node,
      'n1',
      merge({ status: { addresses: [{ type: 'InternalIP', address: '10.9.9.9' }] } }),
      status,
    ),
  "its own Node's capacity": (thief) =>
    thief.patch(Node, 'n1', merge({ status: { capacity: { cpu: '96' } } }), status),
  "the kubelet's condition of its own Node": (thief) =>
    thief.patch(Node, 'n1', strategic(condition('Ready')), status),

  'its own Machine, deleted': (thief) => thief.delete(Machine, 'h1'),
  'another Machine, deleted': (thief) => thief.delete(Machine, 'h2'),
  'all Machines, deleted': (thief) => thief.raw('DELETE', '/apis/kubenode.io/v1alpha1/machines'),
  'its own Node, deleted': (thief) => thief.delete(Node, 'n1'),
  'its own Lease, deleted': (thief) => thief.delete(Lease, { namespace: system, name: 'h1' }),
  'a revision, deleted': (thief) => thief.delete(MachineComponent, 'tool-1'),
  'an Event, deleted': (thief) => thief.delete(Event, { namespace: 'default', name: 'witness' }),
  'a certificate request, deleted': (thief) => thief.delete(CertificateSigningRequest, 'waiting'),

  'the ssh key of the imports': (thief) => thief.get(Secret, { namespace: system, name: 'lab-ssh-key' }),
  'all Secrets of the operator': (thief) => thief.list(Secret, { namespace: system }),
  'all Secrets': (thief) => thief.list(Secret),
  'a bootstrap token': (thief) =>
    thief.get(Secret, { namespace: 'kube-system', name: 'bootstrap-token-abcdef' }),
  'a ConfigMap': (thief) => thief.list(ConfigMap, { namespace: 'kube-system' }),
  "the operator's token": (thief) =>
    thief.raw('POST', `/api/v1/namespaces/${system}/serviceaccounts/kubenode-operator/token`, {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: {},
    }),
  'more rights': (thief) =>
    thief.raw('POST', '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings', {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name: 'evil' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
      subjects: [{ kind: 'Group', name: agentGroup, apiGroup: 'rbac.authorization.k8s.io' }],
    }),

  'a certificate request, approved': async (thief) => {
    const request = await thief.get(CertificateSigningRequest, 'waiting');
    assert.ok(request);
    request.status = { conditions: [{ type: 'Approved', status: 'True', reason: 'Me', message: '' }] };
    return thief.update(CertificateSigningRequest, request, { subresource: 'approval' });
  },
  'a certificate, signed': (thief) =>
    thief.patch(
      CertificateSigningRequest,
      'waiting',
      merge({ status: { certificate: Buffer.from('x').toString('base64') } }),
      status,
    ),
  "a kubelet's certificate, asked for": (thief) =>
    thief.create(CertificateSigningRequest, {
      metadata: { name: 'as-kubelet' },
      spec: {
        request: requestFor('system:node:n2', 'system:nodes'),
        signerName: 'kubernetes.io/kube-apiserver-client-kubelet',
        usages: ['client auth', 'digital signature'],
      },
    }),

  "another's Lease": (thief) =>
    thief.patch(Lease, { namespace: system, name: 'h2' }, merge({ spec: { holderIdentity: 'thief' } })),
  "another's Lease, made": (thief) =>
    thief.create(Lease, { metadata: { namespace: system, name: 'h9' }, spec: { holderIdentity: 'h9' } }),
  "a kubelet's Lease": (thief) =>
    thief.create(Lease, {
      metadata: { namespace: 'kube-node-lease', name: 'h1' },
      spec: { holderIdentity: 'n2' },
    }),
  "the operator's Lease": (thief) =>
    thief.apply(
      Lease,
      { metadata: { namespace: system, name: 'kubenode-operator' }, spec: { holderIdentity: 'thief' } },
      { fieldManager: 'thief', force: true },
    ),
  "an Event of another's Machine": (thief) => thief.create(Event, event('lie', 'h2')),
};

export const revision = {
  component: 'tool',
  version: '1',
  artifacts: [
    { os: 'linux', arch: 'amd64', file: { url: 'http://artifacts.lab/x', digest, path: '/x', mode: '0644' } },
  ],
  files: [],
  probes: [],
  dependsOn: [],
  disruption: 'None',
  progressDeadline: '1m',
  onFailure: 'Hold',
} satisfies MachineComponentSpec;

export function condition(type: string): object {
  const now = new Date().toISOString();
  return {
    status: {
      conditions: [
        {
          type,
          status: 'False',
          reason: 'Tried',
          message: '',
          lastHeartbeatTime: now,
          lastTransitionTime: now,
        },
      ],
    },
  };
}

export function event(name: string, machine: string) {
  return {
    metadata: { name, namespace: 'default' },
    involvedObject: { apiVersion: 'kubenode.io/v1alpha1', kind: 'Machine', name: machine },
    reason: 'Tried',
    message: 'tried',
    type: 'Normal',
  };
}

/** A certificate request as base64, with a key of the thief's own. */
export function requestFor(user: string, group: string): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return Buffer.from(certificateRequest(privateKey, { user, group })).toString('base64');
}
