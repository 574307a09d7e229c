/** Who may do what, in RBAC's terms. What RBAC cannot say (its own, only this field) stands in admission.ts. */
import { agentGroup, apiGroup, bootstrapGroup, systemNamespace } from '@kubenode/api';
import type {
  ClusterRole,
  ClusterRoleBinding,
  KubeObject,
  Namespace,
  PolicyRule,
  Role,
  RoleBinding,
  ServiceAccount,
} from '@kubenode/runtime';

const rbac = 'rbac.authorization.k8s.io';
/** ServiceAccount of the operator, in kubenode-system. */
export const operatorAccount = 'kubenode-operator';

export function accessRules(): KubeObject[] {
  return [namespace(), account(), ...operator(), ...agents(), ...joining()];
}

function namespace(): Namespace {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name: systemNamespace } };
}

function account(): ServiceAccount {
  return {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name: operatorAccount, namespace: systemNamespace },
  };
}

/** The operator: no more than its controllers use. */
function operator(): KubeObject[] {
  const subject = { kind: 'ServiceAccount', name: operatorAccount, namespace: systemNamespace };
  return [
    clusterRole('kubenode-operator', [
      rule(apiGroup, ['machines'], ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete']),
      rule(apiGroup, ['machinecomponentsets', 'machineimports'], ['get', 'list', 'watch', 'update', 'patch']),
      rule(apiGroup, ['machinecomponents'], ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete']),
      rule(apiGroup, ['nodedisruptionbudgets'], ['get', 'list', 'watch', 'create']),
      rule(
        apiGroup,
        [
          'machines/status',
          'machinecomponentsets/status',
          'machineimports/status',
          'nodedisruptionbudgets/status',
        ],
        ['get', 'update', 'patch'],
      ),
      rule(
        apiGroup,
        [
          'machines/finalizers',
          'machinecomponents/finalizers',
          'machinecomponentsets/finalizers',
          'machineimports/finalizers',
        ],
        ['update'],
      ),
      {
        apiGroups: ['apiextensions.k8s.io'],
        resources: ['customresourcedefinitions'],
        resourceNames: ['machines', 'machinecomponentsets'].map((plural) => `${plural}.${apiGroup}`),
        verbs: ['get'],
      },
      rule('', ['nodes'], ['get', 'list', 'watch', 'patch']),
      rule('', ['pods'], ['get', 'list', 'delete']),
      rule('', ['pods/eviction'], ['create']),
      rule('', ['events'], ['create', 'patch', 'update']),
      rule('certificates.k8s.io', ['certificatesigningrequests'], ['get', 'list', 'watch']),
      rule('certificates.k8s.io', ['certificatesigningrequests/approval'], ['update']),
      {
        apiGroups: ['certificates.k8s.io'],
        resources: ['signers'],
        resourceNames: ['kubernetes.io/kube-apiserver-client'],
        verbs: ['approve'],
      },
    ]),
    clusterBinding('kubenode-operator', subject),
    role('kubenode-operator', systemNamespace, [
      rule('', ['secrets'], ['get']),
      // What hosts need to know to join, for `kubenode token create`.
      rule('', ['configmaps'], ['get', 'create', 'patch']),
      rule(
        'coordination.k8s.io',
        ['leases'],
        ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete'],
      ),
    ]),
    binding('kubenode-operator', systemNamespace, subject),
    // Bootstrap tokens live where Kubernetes looks for them. Their names cannot be told beforehand.
    role('kubenode-operator', 'kube-system', [rule('', ['secrets'], ['get', 'create', 'delete'])]),
    binding('kubenode-operator', 'kube-system', subject),
  ];
}

/** Agents. RBAC cannot say "its own" for 10,000 hosts: the admission policies do, for everything that is written here. */
function agents(): KubeObject[] {
  const subject = group(agentGroup);
  return [
    clusterRole('kubenode-agent', [
      rule(apiGroup, ['machines', 'machinecomponents'], ['get', 'list', 'watch']),
      rule(apiGroup, ['machines/status'], ['patch', 'update']),
      rule('', ['nodes'], ['get']),
      rule('', ['nodes/status'], ['patch']),
      rule('', ['events'], ['create', 'patch', 'update']),
      rule('certificates.k8s.io', ['certificatesigningrequests'], ['create', 'get', 'list', 'watch']),
    ]),
    clusterBinding('kubenode-agent', subject),
    role('kubenode-agent', systemNamespace, [
      rule('coordination.k8s.io', ['leases'], ['get', 'create', 'update', 'patch']),
    ]),
    binding('kubenode-agent', systemNamespace, subject),
  ];
}

/** A host that has only a bootstrap token yet: it may ask for its identity and see the answer. */
function joining(): KubeObject[] {
  return [
    clusterRole('kubenode-bootstrap', [
      rule('certificates.k8s.io', ['certificatesigningrequests'], ['create', 'get', 'list', 'watch']),
    ]),
    clusterBinding('kubenode-bootstrap', group(bootstrapGroup)),
  ];
}

type Subject = NonNullable<RoleBinding['subjects']>[number];

function group(name: string): Subject {
  return { kind: 'Group', name, apiGroup: rbac };
}

function rule(apiGroup: string, resources: string[], verbs: string[]): PolicyRule {
  return { apiGroups: [apiGroup], resources, verbs };
}

function clusterRole(name: string, rules: PolicyRule[]): ClusterRole {
  return { apiVersion: `${rbac}/v1`, kind: 'ClusterRole', metadata: { name }, rules };
}

function clusterBinding(name: string, subject: Subject): ClusterRoleBinding {
  return {
    apiVersion: `${rbac}/v1`,
    kind: 'ClusterRoleBinding',
    metadata: { name },
    roleRef: { apiGroup: rbac, kind: 'ClusterRole', name },
    subjects: [subject],
  };
}

function role(name: string, namespace: string, rules: PolicyRule[]): Role {
  return { apiVersion: `${rbac}/v1`, kind: 'Role', metadata: { name, namespace }, rules };
}

function binding(name: string, namespace: string, subject: Subject): RoleBinding {
  return {
    apiVersion: `${rbac}/v1`,
    kind: 'RoleBinding',
    metadata: { name, namespace },
    roleRef: { apiGroup: rbac, kind: 'Role', name },
    subjects: [subject],
  };
}
