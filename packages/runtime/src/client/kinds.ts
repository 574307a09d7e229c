import { type Condition, defineKind, type Kind, type KubeObject, type ObjectMeta } from './object.ts';

interface Typed {
  apiVersion?: string;
  kind?: string;
  metadata: ObjectMeta;
}

export interface Taint {
  key: string;
  value?: string;
  effect: 'NoSchedule' | 'PreferNoSchedule' | 'NoExecute';
  timeAdded?: string;
}
/** A Node's condition has a heartbeat and no observedGeneration; its reason and message may be missing. */
export interface NodeCondition {
  type: string;
  status: 'True' | 'False' | 'Unknown';
  reason?: string;
  message?: string;
  lastHeartbeatTime?: string;
  lastTransitionTime?: string;
}
export interface Node extends Typed {
  spec?: { podCIDR?: string; providerID?: string; unschedulable?: boolean; taints?: Taint[] };
  status?: {
    capacity?: Record<string, string>;
    allocatable?: Record<string, string>;
    conditions?: NodeCondition[];
    addresses?: { type: string; address: string }[];
    nodeInfo?: {
      machineID: string;
      systemUUID: string;
      bootID: string;
      kernelVersion: string;
      osImage: string;
      containerRuntimeVersion: string;
      kubeletVersion: string;
      kubeProxyVersion: string;
      operatingSystem: string;
      architecture: string;
    };
  };
}

export interface Lease extends Typed {
  spec?: {
    holderIdentity?: string;
    leaseDurationSeconds?: number;
    /** MicroTime. */
    acquireTime?: string;
    /** MicroTime. */
    renewTime?: string;
    leaseTransitions?: number;
  };
}

export interface Secret extends Typed {
  type?: string;
  /** Values in base64. */
  data?: Record<string, string>;
  stringData?: Record<string, string>;
  immutable?: boolean;
}

export interface ConfigMap extends Typed {
  data?: Record<string, string>;
  /** Values in base64. */
  binaryData?: Record<string, string>;
  immutable?: boolean;
}

export interface Namespace extends Typed {
  spec?: { finalizers?: string[] };
  status?: { phase?: 'Active' | 'Terminating' };
}

export interface ServiceAccount extends Typed {
  automountServiceAccountToken?: boolean;
}

export interface Pod extends Typed {
  spec?: {
    nodeName?: string;
    priorityClassName?: string;
    containers?: { name: string; image?: string }[];
    volumes?: { name: string; emptyDir?: object; hostPath?: { path: string } }[];
    tolerations?: {
      key?: string;
      operator?: string;
      value?: string;
      effect?: string;
      tolerationSeconds?: number;
    }[];
    terminationGracePeriodSeconds?: number;
  };
  status?: {
    phase?: 'Pending' | 'Running' | 'Succeeded' | 'Failed' | 'Unknown';
    reason?: string;
    podIP?: string;
    conditions?: NodeCondition[];
    containerStatuses?: { name: string; ready: boolean; restartCount: number; containerID?: string }[];
  };
}

/** Event of the core group: what `kubectl describe` and `kubectl events` show. */
export interface Event extends Typed {
  involvedObject: {
    apiVersion?: string;
    kind?: string;
    name?: string;
    namespace?: string;
    uid?: string;
    resourceVersion?: string;
    fieldPath?: string;
  };
  type?: string;
  reason?: string;
  message?: string;
  count?: number;
  firstTimestamp?: string;
  lastTimestamp?: string;
  source?: { component?: string; host?: string };
  reportingComponent?: string;
  reportingInstance?: string;
}

export interface CertificateSigningRequest extends Typed {
  spec: {
    /** PEM of the request, in base64. */
    request: string;
    signerName: string;
    usages?: string[];
    expirationSeconds?: number;
    /** Set by the server, as are uid, groups and extra: who asks. */
    username?: string;
    uid?: string;
    groups?: string[];
    extra?: Record<string, string[]>;
  };
  status?: {
    conditions?: {
      type: string;
      status: 'True' | 'False' | 'Unknown';
      reason?: string;
      message?: string;
      lastUpdateTime?: string;
      lastTransitionTime?: string;
    }[];
    /** PEM of the certificate, in base64. */
    certificate?: string;
  };
}

export interface CustomResourceDefinition extends Typed {
  spec: {
    group: string;
    scope: 'Cluster' | 'Namespaced';
    names: {
      plural: string;
      kind: string;
      singular?: string;
      listKind?: string;
      shortNames?: string[];
      categories?: string[];
    };
    versions: { name: string; served: boolean; storage: boolean; schema?: object; subresources?: object }[];
  };
  status?: { conditions?: Condition[]; storedVersions?: string[] };
}

export interface PolicyRule {
  apiGroups?: string[];
  resources?: string[];
  resourceNames?: string[];
  nonResourceURLs?: string[];
  verbs: string[];
}
export interface Role extends Typed {
  rules?: PolicyRule[];
}
export interface ClusterRole extends Typed {
  rules?: PolicyRule[];
  aggregationRule?: object;
}
export interface RoleBinding extends Typed {
  roleRef: { apiGroup: string; kind: string; name: string };
  subjects?: { kind: string; name: string; namespace?: string; apiGroup?: string }[];
}
export type ClusterRoleBinding = RoleBinding;

/** Spec in full only where we read it. */
export interface ValidatingAdmissionPolicy extends Typed {
  spec?: {
    failurePolicy?: 'Fail' | 'Ignore';
    matchConstraints?: object;
    matchConditions?: { name: string; expression: string }[];
    variables?: { name: string; expression: string }[];
    validations?: { expression: string; message?: string; messageExpression?: string; reason?: string }[];
  };
  status?: { observedGeneration?: number; typeChecking?: object; conditions?: Condition[] };
}
export interface ValidatingAdmissionPolicyBinding extends Typed {
  spec?: { policyName?: string; validationActions?: string[]; matchResources?: object; paramRef?: object };
}

function kind<T extends KubeObject>(
  group: string,
  version: string,
  name: string,
  plural: string,
  namespaced: boolean,
): Kind<T> {
  return defineKind<T>({ group, version, kind: name, plural, namespaced });
}

const rbac = 'rbac.authorization.k8s.io';
const admission = 'admissionregistration.k8s.io';

/** Kubernetes' own kinds, as far as we need them. Made by pure calls, so a bundler can drop the unused ones. */
export const Node: Kind<Node> = /* @__PURE__ */ kind('', 'v1', 'Node', 'nodes', false);
export const Lease: Kind<Lease> = /* @__PURE__ */ kind('coordination.k8s.io', 'v1', 'Lease', 'leases', true);
export const Secret: Kind<Secret> = /* @__PURE__ */ kind('', 'v1', 'Secret', 'secrets', true);
export const ConfigMap: Kind<ConfigMap> = /* @__PURE__ */ kind('', 'v1', 'ConfigMap', 'configmaps', true);
export const Namespace: Kind<Namespace> = /* @__PURE__ */ kind('', 'v1', 'Namespace', 'namespaces', false);
export const ServiceAccount: Kind<ServiceAccount> = /* @__PURE__ */ kind(
  '',
  'v1',
  'ServiceAccount',
  'serviceaccounts',
  true,
);
export const Pod: Kind<Pod> = /* @__PURE__ */ kind('', 'v1', 'Pod', 'pods', true);
export const Event: Kind<Event> = /* @__PURE__ */ kind('', 'v1', 'Event', 'events', true);
export const CertificateSigningRequest: Kind<CertificateSigningRequest> = /* @__PURE__ */ kind(
  'certificates.k8s.io',
  'v1',
  'CertificateSigningRequest',
  'certificatesigningrequests',
  false,
);
export const CustomResourceDefinition: Kind<CustomResourceDefinition> = /* @__PURE__ */ kind(
  'apiextensions.k8s.io',
  'v1',
  'CustomResourceDefinition',
  'customresourcedefinitions',
  false,
);
export const Role: Kind<Role> = /* @__PURE__ */ kind(rbac, 'v1', 'Role', 'roles', true);
export const RoleBinding: Kind<RoleBinding> = /* @__PURE__ */ kind(
  rbac,
  'v1',
  'RoleBinding',
  'rolebindings',
  true,
);
export const ClusterRole: Kind<ClusterRole> = /* @__PURE__ */ kind(
  rbac,
  'v1',
  'ClusterRole',
  'clusterroles',
  false,
);
export const ClusterRoleBinding: Kind<ClusterRoleBinding> = /* @__PURE__ */ kind(
  rbac,
  'v1',
  'ClusterRoleBinding',
  'clusterrolebindings',
  false,
);
export const ValidatingAdmissionPolicy: Kind<ValidatingAdmissionPolicy> = /* @__PURE__ */ kind(
  admission,
  'v1',
  'ValidatingAdmissionPolicy',
  'validatingadmissionpolicies',
  false,
);
export const ValidatingAdmissionPolicyBinding: Kind<ValidatingAdmissionPolicyBinding> = /* @__PURE__ */ kind(
  admission,
  'v1',
  'ValidatingAdmissionPolicyBinding',
  'validatingadmissionpolicybindings',
  false,
);
