import { AUTHENTICATED, BOOTSTRAPPERS, MASTERS, NODES, UNAUTHENTICATED } from '../authn/user.ts';
import type { KubeObject } from '../object.ts';
import type { PolicyRule } from './rules.ts';

const READ = ['get', 'list', 'watch'];
const RBAC = 'rbac.authorization.k8s.io';
const CSRS = 'certificatesigningrequests';

function rule(apiGroup: string | string[], resources: string[], verbs: string[]): PolicyRule {
  return { apiGroups: Array.isArray(apiGroup) ? apiGroup : [apiGroup], resources, verbs };
}

/** The role system:node of Kubernetes 1.36, which the node authorizer narrows. */
export const NODE_RULES: PolicyRule[] = [
  rule('authentication.k8s.io', ['tokenreviews'], ['create']),
  rule('authorization.k8s.io', ['localsubjectaccessreviews', 'subjectaccessreviews'], ['create']),
  rule('', ['services', 'pods', 'nodes'], READ),
  rule('', ['nodes'], ['create', 'patch', 'update']),
  rule('', ['nodes/status', 'pods/status'], ['patch', 'update']),
  rule(['', 'events.k8s.io'], ['events'], ['create', 'patch', 'update']),
  rule('', ['pods'], ['create', 'delete']),
  rule('', ['pods/eviction', 'serviceaccounts/token'], ['create']),
  rule('', ['persistentvolumeclaims', 'persistentvolumes', 'endpoints', 'serviceaccounts'], ['get']),
  rule('certificates.k8s.io', [CSRS], ['create', ...READ]),
  rule('coordination.k8s.io', ['leases'], ['create', 'delete', 'get', 'patch', 'update']),
  rule('storage.k8s.io', ['volumeattachments'], ['get']),
  rule('storage.k8s.io', ['csidrivers'], READ),
  rule('storage.k8s.io', ['csinodes'], ['create', 'delete', 'get', 'patch', 'update']),
  rule('node.k8s.io', ['runtimeclasses'], READ),
  rule('resource.k8s.io', ['resourceclaims'], ['get']),
  rule('resource.k8s.io', ['resourceslices'], ['deletecollection']),
];

const DISCOVERY = [
  '/api',
  '/api/*',
  '/apis',
  '/apis/*',
  '/healthz',
  '/livez',
  '/openapi',
  '/openapi/*',
  '/readyz',
  '/version',
  '/version/',
];

const ROLES: Record<string, PolicyRule[]> = {
  'cluster-admin': [
    { apiGroups: ['*'], resources: ['*'], verbs: ['*'] },
    { nonResourceURLs: ['*'], verbs: ['*'] },
  ],
  'system:basic-user': [
    rule('authorization.k8s.io', ['selfsubjectaccessreviews', 'selfsubjectrulesreviews'], ['create']),
    rule('authentication.k8s.io', ['selfsubjectreviews'], ['create']),
  ],
  'system:discovery': [{ nonResourceURLs: DISCOVERY, verbs: ['get'] }],
  'system:public-info-viewer': [
    { nonResourceURLs: ['/healthz', '/livez', '/readyz', '/version', '/version/'], verbs: ['get'] },
  ],
  'system:node': NODE_RULES,
  'system:node-bootstrapper': [rule('certificates.k8s.io', [CSRS], ['create', ...READ])],
  'system:certificates.k8s.io:certificatesigningrequests:nodeclient': [
    rule('certificates.k8s.io', [`${CSRS}/nodeclient`], ['create']),
  ],
  'system:certificates.k8s.io:certificatesigningrequests:selfnodeclient': [
    rule('certificates.k8s.io', [`${CSRS}/selfnodeclient`], ['create']),
  ],
};

/** Role to the groups it is bound to; the last three are what kubeadm binds for joining nodes. */
const BINDINGS: [string, string, string[]][] = [
  ['cluster-admin', 'cluster-admin', [MASTERS]],
  ['system:basic-user', 'system:basic-user', [AUTHENTICATED]],
  ['system:discovery', 'system:discovery', [AUTHENTICATED]],
  ['system:public-info-viewer', 'system:public-info-viewer', [AUTHENTICATED, UNAUTHENTICATED]],
  ['kubenode:node-bootstrapper', 'system:node-bootstrapper', [BOOTSTRAPPERS]],
  [
    'kubenode:node-autoapprove-bootstrap',
    'system:certificates.k8s.io:certificatesigningrequests:nodeclient',
    [BOOTSTRAPPERS],
  ],
  [
    'kubenode:node-autoapprove-renewal',
    'system:certificates.k8s.io:certificatesigningrequests:selfnodeclient',
    [NODES],
  ],
];

const BOOTSTRAPPED = {
  labels: { 'kubernetes.io/bootstrapping': 'rbac-defaults' },
  annotations: { 'rbac.authorization.kubernetes.io/autoupdate': 'true' },
};

/** The roles and bindings that every cluster has from its first start, as far as they are of use here. */
export function bootstrapPolicy(): { resource: string; object: KubeObject }[] {
  const roles = Object.entries(ROLES).map(([name, rules]) => ({
    resource: 'clusterroles',
    object: { apiVersion: `${RBAC}/v1`, kind: 'ClusterRole', metadata: { name, ...BOOTSTRAPPED }, rules },
  }));
  const bindings = BINDINGS.map(([name, role, groups]) => ({
    resource: 'clusterrolebindings',
    object: {
      apiVersion: `${RBAC}/v1`,
      kind: 'ClusterRoleBinding',
      metadata: { name, ...BOOTSTRAPPED },
      roleRef: { apiGroup: RBAC, kind: 'ClusterRole', name: role },
      subjects: groups.map((group) => ({ apiGroup: RBAC, kind: 'Group', name: group })),
    },
  }));
  return [...roles, ...bindings];
}
