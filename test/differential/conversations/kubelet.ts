/** What a kubelet sends from its first start on, as captured from a real one, with its credential's user and groups. */
import { type Conversation, from, patchTypes, type Step } from '../conversation.ts';
import { agentRequest } from './certificate-request.ts';

const node = 'differential-kubelet';
const as = { user: `system:node:${node}`, groups: ['system:nodes', 'system:authenticated'] };
const initial =
  'watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true';
const nodes = '/api/v1/nodes';
const leases = '/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases';
const csinodes = '/apis/storage.k8s.io/v1/csinodes';
const events = '/api/v1/namespaces/default/events';
const time = '2026-11-22T21:20:48Z';

const condition = (type: string, status: string, reason: string) => ({
  type,
  status,
  reason,
  message: 'captured',
  lastHeartbeatTime: time,
  lastTransitionTime: time,
});

const registration = {
  kind: 'Node',
  apiVersion: 'v1',
  metadata: {
    name: node,
    labels: {
      'beta.kubernetes.io/arch': 'amd64',
      'beta.kubernetes.io/os': 'linux',
      'kubernetes.io/arch': 'amd64',
      'kubernetes.io/hostname': node,
      'kubernetes.io/os': 'linux',
    },
    annotations: { 'volumes.kubernetes.io/controller-managed-attach-detach': 'true' },
  },
  spec: { taints: [{ key: 'node.kubernetes.io/joining', effect: 'NoSchedule' }] },
  status: {
    capacity: { cpu: '2', 'ephemeral-storage': '264212084Ki', memory: '24684084Ki', pods: '110' },
    allocatable: { cpu: '2', 'ephemeral-storage': '267847642337', memory: '24673844Ki', pods: '110' },
    conditions: [
      condition('MemoryPressure', 'False', 'KubeletHasSufficientMemory'),
      condition('Ready', 'False', 'KubeletNotReady'),
    ],
    addresses: [
      { type: 'InternalIP', address: '10.98.0.11' },
      { type: 'Hostname', address: node },
    ],
    daemonEndpoints: { kubeletEndpoint: { Port: 10250 } },
    nodeInfo: {
      machineID: '1f36aca850354c3fb1ad020ff19f0618',
      systemUUID: '1f36aca850354c3fb1ad020ff19f0618',
      bootID: '1f36aca850354c3fb1ad020ff19f0618',
      kernelVersion: '6.18.44',
      osImage: 'Debian GNU/Linux 12 (bookworm)',
      containerRuntimeVersion: 'containerd://1.6.20',
      kubeletVersion: 'v1.36.3',
      kubeProxyVersion: '',
      operatingSystem: 'linux',
      architecture: 'amd64',
    },
    images: [{ names: ['registry.k8s.io/pause:3.6'], sizeBytes: 1987183 }],
  },
};

const lease = (renewTime: string, metadata: Record<string, unknown> = {}) => ({
  kind: 'Lease',
  apiVersion: 'coordination.k8s.io/v1',
  metadata: { name: node, namespace: 'kube-node-lease', ...metadata },
  spec: { holderIdentity: node, leaseDurationSeconds: 40, renewTime },
});

const status = (name: string, body: Record<string, unknown>): Step => ({
  name,
  method: 'PATCH',
  type: patchTypes.strategic,
  path: `${nodes}/${node}/status?timeout=10s`,
  body,
  as,
});

export const kubelet: Conversation = {
  name: 'what a kubelet sends',
  steps: [
    {
      name: 'ask for a certificate in a name to be made',
      method: 'POST',
      path: '/apis/certificates.k8s.io/v1/certificatesigningrequests?dryRun=All',
      body: {
        kind: 'CertificateSigningRequest',
        apiVersion: 'certificates.k8s.io/v1',
        metadata: { generateName: 'csr-' },
        spec: {
          request: agentRequest,
          signerName: 'kubernetes.io/kube-apiserver-client',
          usages: ['digital signature', 'client auth'],
        },
        status: {},
      },
      mayDiffer: { 'metadata.name': 'a random name' },
    },
    {
      name: 'services, while there are none with an address',
      path: '/api/v1/namespaces/kube-public/services?fieldSelector=spec.clusterIP%21%3DNone',
      as,
    },
    {
      name: 'watch its node',
      path: `${nodes}?${initial}&fieldSelector=metadata.name%3D${node}`,
      as,
      events: 1,
    },
    { name: 'its CSINode is not there', path: `${csinodes}/${node}?resourceVersion=0`, as },
    { name: 'its Lease is not there', path: `${leases}/${node}?timeout=10s`, as },
    { name: 'runtime classes', path: `/apis/node.k8s.io/v1/runtimeclasses?${initial}`, as, events: 1 },
    { name: 'CSI drivers', path: `/apis/storage.k8s.io/v1/csidrivers?${initial}`, as, events: 1 },
    { name: 'its node is not there', path: `${nodes}/${node}?timeout=10s`, as },
    { name: 'register', method: 'POST', path: nodes, body: registration, as },
    { name: 'register again', method: 'POST', path: nodes, body: registration, as },
    { name: 'read it', path: `${nodes}/${node}?timeout=10s`, as },
    status('an empty status', {}),
    {
      name: 'its CSINode',
      method: 'POST',
      path: csinodes,
      as,
      body: (answers) => ({
        kind: 'CSINode',
        apiVersion: 'storage.k8s.io/v1',
        metadata: {
          name: node,
          annotations: { 'storage.alpha.kubernetes.io/migrated-plugins': 'kubernetes.io/aws-ebs' },
          ownerReferences: [
            { apiVersion: 'v1', kind: 'Node', name: node, uid: from(answers, 'register', 'metadata.uid') },
          ],
        },
        spec: { drivers: [] },
      }),
      mayDiffer: {
        'metadata.managedFields.0.fieldsV1.f:spec': 'Go makes null of the empty list, and owns it',
      },
    },
    status('Ready', {
      status: {
        '$setElementOrder/conditions': [{ type: 'MemoryPressure' }, { type: 'Ready' }],
        conditions: [{ message: 'posting', reason: 'KubeletReady', status: 'True', type: 'Ready' }],
      },
    }),
    status('a condition of a problem detector', {
      status: {
        '$setElementOrder/conditions': [{ type: 'KernelDeadlock' }],
        conditions: [condition('KernelDeadlock', 'False', 'KernelHasNoDeadlock')],
      },
    }),
    status('an image is gone', { status: { images: null } }),
    {
      name: 'an event',
      method: 'POST',
      path: events,
      as,
      body: {
        kind: 'Event',
        apiVersion: 'v1',
        metadata: { name: `${node}.1`, namespace: 'default' },
        involvedObject: { kind: 'Node', name: node, apiVersion: 'v1' },
        reason: 'Starting',
        message: 'Starting kubelet.',
        source: { component: 'kubelet', host: node },
        firstTimestamp: time,
        lastTimestamp: time,
        count: 1,
        type: 'Normal',
        eventTime: null,
        reportingComponent: 'kubelet',
        reportingInstance: node,
      },
    },
    {
      name: 'the event again',
      method: 'PATCH',
      type: patchTypes.strategic,
      path: `${events}/${node}.1`,
      body: { count: 2, lastTimestamp: '2026-11-22T21:20:49Z', message: 'again' },
      as,
    },
    {
      name: 'no pods',
      mayDiffer: { '0.object.spec.containers': 'Go shows the list that nobody set as null' },
      path: `/api/v1/pods?${initial}&fieldSelector=spec.nodeName%3D${node}`,
      as,
      events: 1,
    },
    {
      name: 'no slices',
      method: 'DELETE',
      path: `/apis/resource.k8s.io/v1/resourceslices?fieldSelector=spec.nodeName%3D${node}`,
      body: { kind: 'DeleteOptions', apiVersion: 'resource.k8s.io/v1' },
      as,
      uncompared: 'devices are not embedded: 404, which a kubelet takes',
    },
    {
      name: 'its Lease',
      method: 'POST',
      path: `${leases}?timeout=10s`,
      as,
      body: (answers) =>
        lease('2026-11-22T21:20:58.280659Z', {
          ownerReferences: [
            { apiVersion: 'v1', kind: 'Node', name: node, uid: from(answers, 'register', 'metadata.uid') },
          ],
        }),
    },
    {
      name: 'renew it',
      method: 'PUT',
      path: `${leases}/${node}?timeout=10s`,
      as,
      body: (answers) =>
        lease('2026-11-22T21:21:08.324504Z', {
          resourceVersion: from(answers, 'its Lease', 'metadata.resourceVersion'),
        }),
    },
    {
      name: 'renew it from an old version',
      method: 'PUT',
      path: `${leases}/${node}?timeout=10s`,
      as,
      body: (answers) =>
        lease('2026-11-22T21:21:18.324504Z', {
          resourceVersion: from(answers, 'its Lease', 'metadata.resourceVersion'),
        }),
    },
    { name: "may it read another's node", path: `${nodes}/other`, as },
    { name: "may it read another's Lease", path: `${leases}/other`, as },
    {
      name: 'may it read Leases elsewhere',
      path: `/apis/coordination.k8s.io/v1/namespaces/default/leases/${node}`,
      as,
    },
    { name: "may it read another's CSINode", path: `${csinodes}/other`, as },
    { name: 'may it list all pods', path: '/api/v1/pods', as },
    { name: 'may it list secrets here', path: '/api/v1/namespaces/default/secrets', as },
    { name: 'may it read a secret', path: '/api/v1/namespaces/default/secrets/s', as },
    {
      name: 'may it change a config map',
      method: 'DELETE',
      path: '/api/v1/namespaces/default/configmaps/c',
      as,
    },
    { name: 'may it read secrets', path: '/api/v1/secrets', as },
    { name: 'may it list the nodes', path: `${nodes}?labelSelector=none%3Dsuch`, as },
    {
      name: 'may it make roles',
      method: 'POST',
      path: '/apis/rbac.authorization.k8s.io/v1/clusterroles',
      body: {},
      as,
    },
    { name: 'away: the node', method: 'DELETE', path: `${nodes}/${node}` },
    { name: 'away: the event', method: 'DELETE', path: `${events}/${node}.1` },
  ],
};
