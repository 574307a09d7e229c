/**
 * What RBAC cannot say: that an agent writes only what is its own. One policy per kind of object, for requests of agents only; whatever
 * is not named in rbac.ts is refused there already. Written for Kubernetes 1.30 and later, where these policies are GA.
 */
import { agentGroup, agentUser, apiGroup, machineLabel, systemNamespace } from '@kubenode/api';
import type {
  KubeObject,
  ValidatingAdmissionPolicy,
  ValidatingAdmissionPolicyBinding,
} from '@kubenode/runtime';

const admission = 'admissionregistration.k8s.io/v1';

interface Validation {
  readonly expression: string;
  readonly message: string;
}
interface Guard {
  readonly name: string;
  readonly apiGroup: string;
  readonly resource: string;
  readonly variables?: { readonly name: string; readonly expression: string }[];
  readonly validations: readonly Validation[];
}

/** CEL: the one who asks is the agent of the machine that the expression names. */
const isAgentOf = (machine: string): string => `request.userInfo.username == '${agentUser('')}' + ${machine}`;
const onlyStatus: Validation = {
  // The API server leaves the key out where there is no subresource.
  expression: "has(request.subResource) && request.subResource == 'status' && request.operation == 'UPDATE'",
  message: 'an agent may write nothing here but the status',
};

const guards: readonly Guard[] = [
  {
    name: 'kubenode-agent-machines',
    apiGroup,
    resource: 'machines',
    variables: [
      { name: 'before', expression: 'has(oldObject.status) ? oldObject.status : {}' },
      { name: 'after', expression: 'has(object.status) ? object.status : {}' },
      { name: 'own', expression: "['AgentReady', 'ComponentsReady']" },
      {
        name: 'foreignBefore',
        expression:
          'has(oldObject.status) && has(oldObject.status.conditions) ? oldObject.status.conditions.filter(c, !(c.type in variables.own)) : []',
      },
      {
        name: 'foreignAfter',
        expression:
          'has(object.status) && has(object.status.conditions) ? object.status.conditions.filter(c, !(c.type in variables.own)) : []',
      },
    ],
    validations: [
      onlyStatus,
      {
        expression: isAgentOf('request.name'),
        message: 'an agent may write the status of its own Machine only',
      },
      {
        expression:
          "['phase', 'nodeRef', 'kubeletVersion', 'disruption'].all(k, (k in variables.after) == (k in variables.before) && (!(k in variables.after) || variables.after[k] == variables.before[k]))",
        message:
          'phase, nodeRef and kubeletVersion are written by the Machine controller and disruption by the disruption controller, not by an agent',
      },
      {
        expression:
          'variables.foreignAfter.size() == variables.foreignBefore.size() && variables.foreignAfter.all(c, variables.foreignBefore.exists(b, b == c))',
        message: 'of the conditions an agent may write AgentReady and ComponentsReady only',
      },
    ],
  },
  {
    name: 'kubenode-agent-nodes',
    apiGroup: '',
    resource: 'nodes',
    variables: [
      {
        name: 'kubelets',
        expression: "['Ready', 'MemoryPressure', 'DiskPressure', 'PIDPressure', 'NetworkUnavailable']",
      },
      { name: 'before', expression: 'has(oldObject.status) ? oldObject.status : {}' },
      { name: 'after', expression: 'has(object.status) ? object.status : {}' },
      {
        name: 'conditionsBefore',
        expression: "'conditions' in variables.before ? variables.before.conditions : []",
      },
      {
        name: 'conditionsAfter',
        expression: "'conditions' in variables.after ? variables.after.conditions : []",
      },
    ],
    validations: [
      onlyStatus,
      {
        expression: `has(oldObject.metadata.labels) && '${machineLabel}' in oldObject.metadata.labels && ${isAgentOf(`oldObject.metadata.labels['${machineLabel}']`)}`,
        message: `an agent may write to the Node only whose label ${machineLabel} names its machine`,
      },
      {
        expression: sameBut('object.metadata', 'oldObject.metadata', [
          'managedFields',
          'resourceVersion',
          'generation',
        ]),
        message: 'an agent may not change labels, annotations or other metadata of a Node',
      },
      {
        expression:
          'has(object.spec) == has(oldObject.spec) && (!has(object.spec) || object.spec == oldObject.spec)',
        message: 'an agent may not change the spec of a Node, such as its taints',
      },
      {
        expression: sameBut('variables.after', 'variables.before', ['conditions']),
        message:
          'of the status of a Node an agent may write conditions only, and neither addresses nor capacity',
      },
      {
        expression:
          'variables.kubelets.all(t, variables.conditionsAfter.filter(c, c.type == t) == variables.conditionsBefore.filter(c, c.type == t))',
        message:
          'the conditions Ready, MemoryPressure, DiskPressure, PIDPressure and NetworkUnavailable belong to the kubelet',
      },
    ],
  },
  {
    name: 'kubenode-agent-leases',
    apiGroup: 'coordination.k8s.io',
    resource: 'leases',
    validations: [
      {
        expression: "request.operation != 'DELETE'",
        message: 'an agent may not delete a Lease',
      },
      {
        expression: `request.operation == 'DELETE' || (request.namespace == '${systemNamespace}' && ${isAgentOf('object.metadata.name')})`,
        message: `an agent may write its own Lease only, in ${systemNamespace}, named like its machine`,
      },
    ],
  },
  {
    name: 'kubenode-agent-events',
    apiGroup: '',
    resource: 'events',
    validations: [
      {
        expression: "request.operation != 'DELETE'",
        message: 'an agent may not delete an Event',
      },
      {
        expression: `request.operation == 'DELETE' || (object.involvedObject.kind == 'Machine' && ${isAgentOf('object.involvedObject.name')})`,
        message: 'an agent may tell events of its own Machine only',
      },
    ],
  },
  {
    name: 'kubenode-agent-requests',
    apiGroup: 'certificates.k8s.io',
    resource: 'certificatesigningrequests',
    validations: [
      {
        expression:
          "request.operation == 'CREATE' && (!has(request.subResource) || request.subResource == '')",
        message: 'an agent may make certificate requests, and neither change, approve nor delete them',
      },
      {
        expression:
          "request.operation != 'CREATE' || object.spec.signerName == 'kubernetes.io/kube-apiserver-client'",
        message: 'an agent may ask the signer kubernetes.io/kube-apiserver-client only',
      },
    ],
  },
];

/** CEL: both maps hold the same, but for these keys. */
function sameBut(after: string, before: string, keys: readonly string[]): string {
  const list = `[${keys.map((key) => `'${key}'`).join(', ')}]`;
  return [
    `${after}.all(k, k in ${list} || (k in ${before} && ${after}[k] == ${before}[k]))`,
    `${before}.all(k, k in ${list} || k in ${after})`,
  ].join(' && ');
}

export function admissionPolicies(): KubeObject[] {
  return guards.flatMap((guard) => [policy(guard), bindingOf(guard)]);
}

function policy({ name, apiGroup, resource, variables, validations }: Guard): ValidatingAdmissionPolicy {
  return {
    apiVersion: admission,
    kind: 'ValidatingAdmissionPolicy',
    metadata: { name },
    spec: {
      failurePolicy: 'Fail',
      matchConstraints: {
        resourceRules: [
          {
            apiGroups: [apiGroup],
            apiVersions: ['*'],
            operations: ['CREATE', 'UPDATE', 'DELETE'],
            resources: [resource, `${resource}/*`],
          },
        ],
      },
      matchConditions: [
        { name: 'agents', expression: `request.userInfo.groups.exists(g, g == '${agentGroup}')` },
      ],
      ...(variables === undefined ? {} : { variables }),
      validations: validations.map((validation) => ({ ...validation, reason: 'Forbidden' })),
    },
  };
}

function bindingOf({ name }: Guard): ValidatingAdmissionPolicyBinding {
  return {
    apiVersion: admission,
    kind: 'ValidatingAdmissionPolicyBinding',
    metadata: { name },
    spec: { policyName: name, validationActions: ['Deny'] },
  };
}
