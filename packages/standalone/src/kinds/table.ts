/** One built-in kind, as the discovery documents of Kubernetes 1.36 name it. */
export interface KindEntry {
  group: string;
  version: string;
  kind: string;
  plural: string;
  namespaced?: boolean;
  short?: string[];
  categories?: string[];
  status?: boolean;
  /** Has spec.replicas, status.replicas and the scale subresource. */
  scale?: boolean;
  generation?: boolean;
  createOnUpdate?: boolean;
  conditionalUpdate?: boolean;
  returnDeleted?: boolean;
  name?: 'label' | 'path';
  /** Fields that a list or watch can be selected by, besides metadata.name and metadata.namespace. */
  fields?: string[];
}

const EXTENSIONS = ['api-extensions'];
const EVENT_FIELDS = [
  'involvedObject.kind',
  'involvedObject.namespace',
  'involvedObject.name',
  'involvedObject.uid',
  'involvedObject.apiVersion',
  'involvedObject.resourceVersion',
  'involvedObject.fieldPath',
  'reason',
  'reportingComponent',
  'source',
  'type',
];

const core = (kind: string, plural: string, more: Partial<KindEntry> = {}): KindEntry => ({
  group: '',
  version: 'v1',
  kind,
  plural,
  ...more,
});
const inGroup =
  (group: string) =>
  (kind: string, plural: string, more: Partial<KindEntry> = {}): KindEntry => ({
    group,
    version: 'v1',
    kind,
    plural,
    ...more,
  });
const apps = inGroup('apps');
const rbac = inGroup('rbac.authorization.k8s.io');
const admission = inGroup('admissionregistration.k8s.io');
const storage = inGroup('storage.k8s.io');
const N = { namespaced: true };

/** Every kind that is stored as it is given. What a kind does besides stands in `hooks.ts`. */
export const KINDS: readonly KindEntry[] = [
  core('Namespace', 'namespaces', {
    short: ['ns'],
    status: true,
    returnDeleted: true,
    name: 'label',
    fields: ['status.phase'],
  }),
  core('Node', 'nodes', { short: ['no'], status: true, fields: ['spec.unschedulable'] }),
  core('Pod', 'pods', {
    ...N,
    short: ['po'],
    categories: ['all'],
    status: true,
    returnDeleted: true,
    generation: true,
    fields: [
      'spec.nodeName',
      'status.phase',
      'spec.restartPolicy',
      'spec.schedulerName',
      'spec.serviceAccountName',
      'status.podIP',
      'status.nominatedNodeName',
    ],
  }),
  core('Secret', 'secrets', { ...N, fields: ['type'] }),
  core('ConfigMap', 'configmaps', { ...N, short: ['cm'] }),
  core('ServiceAccount', 'serviceaccounts', { ...N, short: ['sa'], returnDeleted: true }),
  core('Service', 'services', {
    ...N,
    short: ['svc'],
    categories: ['all'],
    status: true,
    createOnUpdate: true,
    returnDeleted: true,
    name: 'label',
    fields: ['spec.clusterIP', 'spec.type'],
  }),
  core('Endpoints', 'endpoints', { ...N, short: ['ep'], createOnUpdate: true }),
  core('Event', 'events', { ...N, short: ['ev'], createOnUpdate: true, name: 'path', fields: EVENT_FIELDS }),
  core('PersistentVolume', 'persistentvolumes', { short: ['pv'], status: true, returnDeleted: true }),
  core('PersistentVolumeClaim', 'persistentvolumeclaims', {
    ...N,
    short: ['pvc'],
    status: true,
    returnDeleted: true,
  }),
  core('ResourceQuota', 'resourcequotas', { ...N, short: ['quota'], status: true, returnDeleted: true }),
  core('LimitRange', 'limitranges', { ...N, short: ['limits'], createOnUpdate: true }),
  apps('ControllerRevision', 'controllerrevisions', N),
  apps('DaemonSet', 'daemonsets', {
    ...N,
    short: ['ds'],
    categories: ['all'],
    status: true,
    generation: true,
  }),
  apps('Deployment', 'deployments', {
    ...N,
    short: ['deploy'],
    categories: ['all'],
    status: true,
    scale: true,
    generation: true,
  }),
  apps('ReplicaSet', 'replicasets', {
    ...N,
    short: ['rs'],
    categories: ['all'],
    status: true,
    scale: true,
    generation: true,
  }),
  apps('StatefulSet', 'statefulsets', {
    ...N,
    short: ['sts'],
    categories: ['all'],
    status: true,
    scale: true,
    generation: true,
  }),
  inGroup('coordination.k8s.io')('Lease', 'leases', { ...N, conditionalUpdate: true, createOnUpdate: true }),
  inGroup('certificates.k8s.io')('CertificateSigningRequest', 'certificatesigningrequests', {
    short: ['csr'],
    status: true,
    fields: ['spec.signerName'],
  }),
  rbac('ClusterRole', 'clusterroles', { createOnUpdate: true, name: 'path' }),
  rbac('ClusterRoleBinding', 'clusterrolebindings', { createOnUpdate: true, name: 'path' }),
  rbac('Role', 'roles', { ...N, createOnUpdate: true, name: 'path' }),
  rbac('RoleBinding', 'rolebindings', { ...N, createOnUpdate: true, name: 'path' }),
  admission('ValidatingAdmissionPolicy', 'validatingadmissionpolicies', {
    conditionalUpdate: true,
    categories: EXTENSIONS,
    status: true,
    generation: true,
  }),
  admission('ValidatingAdmissionPolicyBinding', 'validatingadmissionpolicybindings', {
    conditionalUpdate: true,
    categories: EXTENSIONS,
    generation: true,
  }),
  storage('CSIDriver', 'csidrivers', { conditionalUpdate: true, returnDeleted: true }),
  storage('CSINode', 'csinodes', { conditionalUpdate: true, returnDeleted: true }),
  storage('CSIStorageCapacity', 'csistoragecapacities', { ...N, conditionalUpdate: true }),
  storage('StorageClass', 'storageclasses', { short: ['sc'], returnDeleted: true }),
  storage('VolumeAttachment', 'volumeattachments', {
    conditionalUpdate: true,
    status: true,
    returnDeleted: true,
  }),
  inGroup('node.k8s.io')('RuntimeClass', 'runtimeclasses', { conditionalUpdate: true, createOnUpdate: true }),
  inGroup('scheduling.k8s.io')('PriorityClass', 'priorityclasses', { short: ['pc'], generation: true }),
  inGroup('discovery.k8s.io')('EndpointSlice', 'endpointslices', { ...N, generation: true }),
  inGroup('policy')('PodDisruptionBudget', 'poddisruptionbudgets', {
    conditionalUpdate: true,
    ...N,
    short: ['pdb'],
    status: true,
    generation: true,
  }),
  inGroup('apiextensions.k8s.io')('CustomResourceDefinition', 'customresourcedefinitions', {
    conditionalUpdate: true,
    short: ['crd', 'crds'],
    categories: EXTENSIONS,
    status: true,
    generation: true,
  }),
];
