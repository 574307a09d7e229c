import { type Conversation, from, patchTypes } from '../conversation.ts';

const ns = 'differential-built-ins';
const core = `/api/v1/namespaces/${ns}`;

export const builtIns: Conversation = {
  name: 'the built-in kinds that our parts use',
  steps: [
    { name: 'a namespace', method: 'POST', path: '/api/v1/namespaces', body: { metadata: { name: ns } } },
    { name: 'get the namespace', path: `/api/v1/namespaces/${ns}` },
    {
      name: 'a bad namespace',
      method: 'POST',
      path: '/api/v1/namespaces',
      body: { metadata: { name: 'Bad_Name' } },
    },
    {
      name: 'an object in no namespace',
      method: 'POST',
      path: '/api/v1/namespaces/nowhere/configmaps',
      body: { metadata: { name: 'x' } },
    },
    {
      name: 'a secret',
      method: 'POST',
      path: `${core}/secrets`,
      body: { metadata: { name: 's' }, stringData: { a: 'text' }, data: { b: 'YmluYXJ5' } },
    },
    {
      name: 'a bad secret',
      method: 'POST',
      path: `${core}/secrets`,
      body: { metadata: { name: 't' }, data: { b: '%%%' } },
    },
    {
      name: 'a bad key',
      method: 'POST',
      path: `${core}/secrets`,
      body: { metadata: { name: 't' }, data: { 'a b': '' } },
    },
    {
      name: 'the type of a secret is fixed',
      method: 'PATCH',
      type: patchTypes.merge,
      path: `${core}/secrets/s`,
      body: { type: 'other' },
    },
    {
      name: 'an immutable secret',
      method: 'PATCH',
      type: patchTypes.merge,
      path: `${core}/secrets/s`,
      body: { immutable: true },
    },
    {
      name: 'does not change',
      method: 'PATCH',
      type: patchTypes.merge,
      path: `${core}/secrets/s`,
      body: { data: { a: null } },
    },
    {
      name: 'a config map',
      method: 'POST',
      path: `${core}/configmaps`,
      body: { metadata: { name: 'c' }, data: { a: '1' } },
    },
    {
      name: 'apply to it',
      method: 'PATCH',
      type: patchTypes.apply,
      path: `${core}/configmaps/c?fieldManager=one`,
      body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c' }, data: { b: '2' } },
    },
    {
      name: 'a lease',
      method: 'POST',
      path: `/apis/coordination.k8s.io/v1/namespaces/${ns}/leases`,
      body: {
        metadata: { name: 'l' },
        spec: { holderIdentity: 'me', leaseDurationSeconds: 40, renewTime: '2026-01-02T03:04:05.000006Z' },
      },
    },
    {
      name: 'a bad lease',
      method: 'POST',
      path: `/apis/coordination.k8s.io/v1/namespaces/${ns}/leases`,
      body: { metadata: { name: 'm' }, spec: { leaseDurationSeconds: 0 } },
    },
    {
      name: 'renew it',
      method: 'PUT',
      path: `/apis/coordination.k8s.io/v1/namespaces/${ns}/leases/l`,
      body: (answers) => ({
        apiVersion: 'coordination.k8s.io/v1',
        kind: 'Lease',
        metadata: { name: 'l', resourceVersion: from(answers, 'a lease', 'metadata.resourceVersion') },
        spec: { holderIdentity: 'me', leaseDurationSeconds: 40, renewTime: '2026-01-02T03:05:05.000006Z' },
      }),
    },
    {
      name: 'renew it from an old version',
      method: 'PUT',
      path: `/apis/coordination.k8s.io/v1/namespaces/${ns}/leases/l`,
      body: (answers) => ({
        apiVersion: 'coordination.k8s.io/v1',
        kind: 'Lease',
        metadata: { name: 'l', resourceVersion: from(answers, 'a lease', 'metadata.resourceVersion') },
        spec: { holderIdentity: 'you' },
      }),
    },
    {
      name: 'an event',
      method: 'POST',
      path: `${core}/events`,
      body: {
        metadata: { name: 'e' },
        involvedObject: { kind: 'Machine', name: 'm', namespace: ns, apiVersion: 'kubenode.io/v1alpha1' },
        reason: 'Tried',
        message: 'x',
        type: 'Normal',
        source: { component: 'test' },
        count: 1,
        firstTimestamp: '2026-01-02T03:04:05Z',
        lastTimestamp: '2026-01-02T03:04:05Z',
      },
    },
    { name: 'the event, in the other group', path: `/apis/events.k8s.io/v1/namespaces/${ns}/events/e` },
    {
      name: 'count it',
      method: 'PATCH',
      type: patchTypes.strategic,
      path: `${core}/events/e`,
      body: { count: 2 },
    },
    {
      name: 'events of an object',
      path: `${core}/events?fieldSelector=involvedObject.name%3Dm,involvedObject.kind%3DMachine`,
    },
    {
      name: 'an event elsewhere',
      method: 'POST',
      path: `${core}/events`,
      body: {
        metadata: { name: 'f' },
        involvedObject: { kind: 'Machine', name: 'm', namespace: 'other' },
        reason: 'Tried',
        type: 'Normal',
      },
    },
    {
      name: 'a node',
      method: 'POST',
      path: '/api/v1/nodes',
      body: {
        metadata: { name: 'differential-node', labels: { a: 'b' } },
        spec: { taints: [{ key: 'k', effect: 'NoSchedule' }] },
      },
    },
    {
      name: 'a bad taint',
      method: 'POST',
      path: '/api/v1/nodes',
      body: { metadata: { name: 'differential-bad' }, spec: { taints: [{ key: 'k', effect: 'Never' }] } },
    },
    {
      name: 'status of a node',
      method: 'PATCH',
      type: patchTypes.strategic,
      path: '/api/v1/nodes/differential-node/status',
      body: {
        metadata: { labels: { c: 'd' } },
        status: {
          conditions: [
            { type: 'Ready', status: 'True', reason: 'Test', lastHeartbeatTime: '2026-01-02T03:04:05Z' },
          ],
          nodeInfo: { kubeletVersion: 'v1.36.3' },
        },
      },
    },
    {
      name: 'cordon',
      method: 'PATCH',
      type: patchTypes.strategic,
      path: '/api/v1/nodes/differential-node',
      body: { spec: { unschedulable: true } },
    },
    { name: 'delete the node', method: 'DELETE', path: '/api/v1/nodes/differential-node' },
    {
      name: 'a service account',
      method: 'POST',
      path: `${core}/serviceaccounts`,
      body: { metadata: { name: 'sa' } },
    },
    {
      name: 'a token for it',
      method: 'POST',
      path: `${core}/serviceaccounts/sa/token`,
      body: {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenRequest',
        spec: { expirationSeconds: 600 },
      },
    },
    {
      name: 'a token for nobody',
      method: 'POST',
      path: `${core}/serviceaccounts/none/token`,
      body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} },
    },
    {
      name: 'too short a token',
      method: 'POST',
      path: `${core}/serviceaccounts/sa/token`,
      body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { expirationSeconds: 60 } },
    },
    {
      name: 'a table of secrets',
      path: `${core}/secrets`,
      accept: 'application/json;as=Table;v=v1;g=meta.k8s.io',
    },
    {
      name: 'a table of leases',
      path: `/apis/coordination.k8s.io/v1/namespaces/${ns}/leases`,
      accept: 'application/json;as=Table;v=v1;g=meta.k8s.io',
    },
    { name: 'delete the event', method: 'DELETE', path: `${core}/events/e` },
    { name: 'delete the secret', method: 'DELETE', path: `${core}/secrets/s` },
    {
      name: 'delete the namespace',
      method: 'DELETE',
      path: `/api/v1/namespaces/${ns}`,
      uncompared: 'finalized at its own time',
    },
    {
      name: 'the namespace is gone',
      path: `/api/v1/namespaces/${ns}`,
      until: (answer) => answer.status === 404,
    },
  ],
  mayDiffer: {
    'rows.*.cells.2': 'an age, or the number of entries while other controllers add theirs',
    'rows.*.cells.3': 'an age',
    'status.token': 'a signed token',
    'status.expirationTimestamp': 'a time',
    'spec.audiences.0': 'the name of the server itself',
  },
};
