/** KubeNode's own kinds as they are installed, with good and bad objects of each. */
import { customResourceDefinitions } from '@kubenode/api';
import { type Conversation, patchTypes, type Step } from '../conversation.ts';

const api = '/apis/kubenode.io/v1alpha1';
const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const crds = customResourceDefinitions();
const digest = `sha256:${'a'.repeat(64)}`;

type Fields = Record<string, unknown>;

/** Tries to create objects, as kubectl does, and leaves nothing. */
function tries(kind: string, plural: string, good: Fields, specs: Record<string, Fields>): Step[] {
  return Object.entries(specs).map(([note, spec]) => ({
    name: `${kind}: ${note}`,
    method: 'POST',
    path: `${api}/${plural}?dryRun=All&fieldValidation=Strict`,
    body: {
      apiVersion: 'kubenode.io/v1alpha1',
      kind,
      metadata: { name: 'differential' },
      spec: { ...good, ...spec },
    },
  }));
}

/** Creates an object, changes it by merge patches, and deletes it. */
function changes(kind: string, plural: string, spec: Fields, patches: Record<string, Fields>): Step[] {
  const path = `${api}/${plural}/differential`;
  return [
    {
      name: `${kind}: create`,
      method: 'POST',
      path: `${api}/${plural}?fieldValidation=Strict`,
      body: { apiVersion: 'kubenode.io/v1alpha1', kind, metadata: { name: 'differential' }, spec },
    },
    ...Object.entries(patches).map(
      ([note, patch]): Step => ({
        name: `${kind}: change: ${note}`,
        method: 'PATCH',
        type: patchTypes.merge,
        path: `${path}${'status' in patch ? '/status' : ''}?fieldValidation=Strict`,
        body: patch,
      }),
    ),
    {
      name: `${kind}: as a table`,
      path,
      accept: 'application/json;as=Table;v=v1;g=meta.k8s.io',
    },
    { name: `${kind}: delete`, method: 'DELETE', path },
  ];
}

const archive = { url: 'https://files.example/a.tar.gz', digest, path: '/usr/local' };
const component = { component: 'containerd', version: '1.7.27', artifacts: [{ arch: 'amd64', archive }] };
const set = { component: 'containerd', revision: 'containerd-1.7.27-2' };
const machine = { nodeName: 'n17', node: { labels: { pool: 'web' } } };
const hostImport = {
  ssh: { address: '10.0.0.7', keySecretName: 'key' },
  machine: { name: 'n17', labels: { pool: 'web' }, nodeName: 'n17' },
};
const condition = { type: 'Ready', status: 'True', reason: 'Tried', message: '' };
const since = '2026-01-02T03:04:05Z';

const components: Step[] = [
  ...tries('MachineComponent', 'machinecomponents', component, {
    good: {},
    'nothing in it': { artifacts: [] },
    'a unit alone': { artifacts: [], unit: { name: 'a.service', content: '[Service]\n' } },
    'two sources': { artifacts: [{ arch: 'amd64', archive, file: { ...archive, path: '/usr/bin/a' } }] },
    'no source': { artifacts: [{ arch: 'amd64' }] },
    'no architecture': { artifacts: [{ archive }] },
    'no digest': { artifacts: [{ arch: 'amd64', archive: { url: archive.url, path: archive.path } }] },
    'a short digest': { artifacts: [{ arch: 'amd64', archive: { ...archive, digest: 'sha256:abc' } }] },
    'a way out': { artifacts: [{ arch: 'amd64', archive: { ...archive, path: '/usr/../etc' } }] },
    'no address': { artifacts: [{ arch: 'amd64', archive: { ...archive, url: 'ftp://x/y' } }] },
    'a bad name': { component: 'Containerd_' },
    'an empty version': { version: '' },
    'files with defaults': { files: [{ path: '/etc/a', content: 'a' }] },
    'one path twice': {
      files: [
        { path: '/etc/a', content: 'a' },
        { path: '/etc/a', content: 'b' },
      ],
    },
    'a bad mode': { files: [{ path: '/etc/a', content: 'a', mode: '9' }] },
    'a relative path': { files: [{ path: 'etc/a', content: 'a' }] },
    'a misspelt field': { artefacts: [] },
    'misspelt inside': { files: [{ path: '/etc/a', content: 'a', onchange: 'None' }] },
    'depends on itself': { dependsOn: [{ component: 'containerd' }] },
    'depends on another': { dependsOn: [{ component: 'runc', minVersion: '1.1.12' }] },
    'two probes of one name': {
      probes: [
        { name: 'a', exec: { command: ['true'] } },
        { name: 'a', tcpSocket: { port: 80 } },
      ],
    },
    'a probe of two sorts': { probes: [{ name: 'a', exec: { command: ['true'] }, tcpSocket: { port: 80 } }] },
    'a probe without a command': { probes: [{ name: 'a', exec: { command: [] } }] },
    'a port too high': { probes: [{ name: 'a', tcpSocket: { port: 70000 } }] },
    'a bad duration': { progressDeadline: 'soon' },
    'a duration': { progressDeadline: '1h30m' },
    'text for a list': { files: 'none' },
    'an unknown disruption': { disruption: 'Explode' },
    'several things': { disruption: 'Explode', version: '', files: [{ path: 'x' }] },
  }),
  ...changes('MachineComponent', 'machinecomponents', component, {
    'the version': { spec: { version: '1.7.28' } },
    'a label': { metadata: { labels: { a: 'b' } } },
    'to what it is': { spec: { version: '1.7.27' } },
  }),
];

const sets: Step[] = [
  ...tries('MachineComponentSet', 'machinecomponentsets', set, {
    good: {},
    'revision and template': { template: { spec: component } },
    'neither of them': { revision: undefined },
    'a template': { revision: undefined, template: { spec: component } },
    'a template of another': { revision: undefined, template: { spec: { ...component, component: 'runc' } } },
    'a bad template': { revision: undefined, template: { spec: { ...component, artifacts: [] } } },
    'batches of all sorts': { rollout: { batches: [1, '10%', 5, '100%'], maxUnavailable: '10%' } },
    'a batch of nothing': { rollout: { batches: [0] } },
    'a batch of 101%': { rollout: { batches: ['101%'] } },
    'a batch of 0%': { rollout: { batches: ['0%'] } },
    'a batch of text': { rollout: { batches: ['some'] } },
    'no batches': { rollout: { batches: [] } },
    'a negative share': { rollout: { maxUnavailable: -1 } },
    'a selector': {
      selector: { matchLabels: { a: 'b' }, matchExpressions: [{ key: 'c', operator: 'Exists' }] },
    },
    'a bad operator': { selector: { matchExpressions: [{ key: 'c', operator: 'Like' }] } },
    'a variable by label': { variables: [{ name: 'disk', fromLabel: 'disk', default: 'sda' }] },
    'a variable of two sorts': { variables: [{ name: 'disk', fromLabel: 'disk', value: 'sda' }] },
    'a default for a value': { variables: [{ name: 'disk', value: 'sda', default: 'sdb' }] },
    'one variable twice': {
      variables: [
        { name: 'disk', value: 'a' },
        { name: 'disk', value: 'b' },
      ],
    },
    'a misspelt field': { rollout: { batch: [1] } },
  }),
  ...changes('MachineComponentSet', 'machinecomponentsets', set, {
    'the component': { spec: { component: 'runc' } },
    'the revision': { spec: { revision: 'containerd-1.7.28-1' } },
    status: { status: { observedGeneration: 2, machines: 3, updated: 1, ready: 1 } },
    'a status of nonsense': { status: { machines: 'three' } },
    'a condition': { status: { conditions: [{ ...condition, lastTransitionTime: since }] } },
  }),
];

const machines: Step[] = [
  ...tries('Machine', 'machines', machine, {
    good: {},
    empty: { nodeName: undefined, node: undefined },
    'a taint': { node: { taints: [{ key: 'a', effect: 'NoSchedule' }] } },
    'one taint twice': {
      node: {
        taints: [
          { key: 'a', effect: 'NoSchedule', value: 'x' },
          { key: 'a', effect: 'NoSchedule', value: 'y' },
        ],
      },
    },
    'a bad taint': { node: { taints: [{ key: 'a', effect: 'Never' }] } },
    'a bad node name': { nodeName: 'N17' },
    components: {
      components: [{ name: 'containerd', revision: 'containerd-1', variables: { disk: 'sda' } }],
    },
    'one component twice': {
      components: [
        { name: 'containerd', revision: 'containerd-1' },
        { name: 'containerd', revision: 'containerd-2' },
      ],
    },
    'a state of nonsense': { components: [{ name: 'a', revision: 'a-1', state: 'Gone' }] },
    'too many components': {
      components: Array.from({ length: 300 }, (_, i) => ({ name: `c${i}`, revision: 'r' })),
    },
    'a bad policy': { deletionPolicy: 'Forget' },
    'text for a boolean': { paused: 'yes' },
    'a label of a number': { node: { labels: { a: 1 } } },
    'a misspelt field': { nodename: 'n17' },
    null: { nodeName: null },
  }),
  ...changes('Machine', 'machines', machine, {
    'the node name': { spec: { nodeName: 'n18' } },
    'without the node name': { spec: { nodeName: null } },
    'a provider': { spec: { providerID: 'nspawn:///n17' } },
    'another provider': { spec: { providerID: 'nspawn:///n18' } },
    'a misspelt field': { spec: { pausd: true } },
    status: { status: { phase: 'Running', summary: '2/2', host: { os: 'Debian', arch: 'amd64' } } },
    'an unknown phase': { status: { phase: 'Sleeping' } },
    'the components it has': {
      status: { components: [{ name: 'a', state: 'Ready', running: 'a-1', since }] },
    },
    'half of the correctnesses': {
      status: { components: [{ name: 'a', state: 'Ready', correct: { version: 'True' } }] },
    },
  }),
  ...['kubenode-assigner', 'kubectl'].map(
    (manager): Step => ({
      name: `Machine: apply as ${manager}`,
      method: 'PATCH',
      type: patchTypes.apply,
      path: `${api}/machines/applied?fieldManager=${manager}`,
      body: {
        apiVersion: 'kubenode.io/v1alpha1',
        kind: 'Machine',
        metadata: { name: 'applied' },
        spec: {
          nodeName: 'n1',
          components: [{ name: 'a', revision: manager === 'kubectl' ? 'a-2' : 'a-1', movedAt: since }],
        },
      },
    }),
  ),
  {
    name: 'Machine: the agent applies its status',
    method: 'PATCH',
    type: patchTypes.apply,
    path: `${api}/machines/applied/status?fieldManager=kubenode-agent&force=true`,
    body: {
      apiVersion: 'kubenode.io/v1alpha1',
      kind: 'Machine',
      metadata: { name: 'applied' },
      status: {
        summary: '1/1',
        components: [{ name: 'a', state: 'Ready', running: 'a-1', since }],
        conditions: [{ ...condition, type: 'AgentReady', lastTransitionTime: since }],
      },
    },
  },
  {
    name: 'Machine: the controller applies its conditions',
    method: 'PATCH',
    type: patchTypes.apply,
    path: `${api}/machines/applied/status?fieldManager=kubenode-machine&force=true`,
    body: {
      apiVersion: 'kubenode.io/v1alpha1',
      kind: 'Machine',
      metadata: { name: 'applied' },
      status: { phase: 'Running', conditions: [{ ...condition, lastTransitionTime: since }] },
    },
  },
  { name: 'Machine: delete the applied one', method: 'DELETE', path: `${api}/machines/applied` },
];

const imports: Step[] = [
  ...tries('MachineImport', 'machineimports', hostImport, {
    good: {},
    'without ssh': { ssh: undefined },
    'no address': { ssh: { keySecretName: 'key' } },
    'an empty address': { ssh: { address: '', keySecretName: 'key' } },
    'port 0': { ssh: { ...hostImport.ssh, port: 0 } },
    'port 65536': { ssh: { ...hostImport.ssh, port: 65536 } },
    'a port of more than 32 bits': { ssh: { ...hostImport.ssh, port: 4294967296 } },
    'a port as text': { ssh: { ...hostImport.ssh, port: '22' } },
    'a user with a blank': { ssh: { ...hostImport.ssh, user: 'a b' } },
    'an unknown state': { state: 'Stolen' },
    'a misspelt field': { ssh: { ...hostImport.ssh, adress: 'x' } },
    'no machine': { machine: {} },
  }),
  ...changes('MachineImport', 'machineimports', hostImport, {
    'its state': { spec: { state: 'Imported' } },
    'its machine': { spec: { machine: { name: 'n18' } } },
    'its node': { spec: { machine: { nodeName: 'n18' } } },
    'its address': { spec: { ssh: { address: '10.0.0.8' } } },
  }),
];

export const ownKinds: Conversation = {
  name: 'the kinds of KubeNode, right and wrong',
  steps: [
    ...crds.map(
      (crd): Step => ({
        name: `define ${crd.metadata.name}`,
        method: 'POST',
        path: definitions,
        body: { ...crd },
        uncompared: 'conditions come at their own time',
      }),
    ),
    ...crds.map(
      ({ spec }): Step => ({
        name: `wait for ${spec.names.plural}`,
        path: `${api}/${spec.names.plural}`,
        until: (answer) => answer.status === 200,
      }),
    ),
    ...components,
    ...sets,
    ...machines,
    ...imports,
    ...crds.map(
      (crd): Step => ({
        name: `forget ${crd.metadata.name}`,
        method: 'DELETE',
        path: `${definitions}/${crd.metadata.name}`,
        uncompared: 'conditions come at their own time',
      }),
    ),
  ],
};
