import { type Conversation, patchTypes } from '../conversation.ts';

const rbac = '/apis/rbac.authorization.k8s.io/v1';
const ns = 'differential-access';
const as = { user: 'differential:someone', groups: ['differential:group'] };
const review = (attributes: Record<string, unknown>) => ({
  apiVersion: 'authorization.k8s.io/v1',
  kind: 'SelfSubjectAccessReview',
  spec: { resourceAttributes: attributes },
});
const configMap = (name: string, data: Record<string, string>) => ({
  metadata: { name, labels: { app: 'x' } },
  data,
});
const maps = `/api/v1/namespaces/${ns}/configmaps`;
const policies = '/apis/admissionregistration.k8s.io/v1';

export const access: Conversation = {
  name: 'who may do what: RBAC, reviews, admission policies',
  steps: [
    { name: 'a namespace', method: 'POST', path: '/api/v1/namespaces', body: { metadata: { name: ns } } },
    { name: 'refused without a role', path: maps, as },
    { name: 'refused to create', method: 'POST', path: maps, body: configMap('a', {}), as },
    { name: 'refused in the whole cluster', path: '/api/v1/nodes', as },
    { name: 'refused a path', path: '/metrics', as },
    {
      name: 'a cluster role',
      method: 'POST',
      path: `${rbac}/clusterroles`,
      body: {
        metadata: { name: 'differential:maps' },
        rules: [
          {
            apiGroups: [''],
            resources: ['configmaps'],
            verbs: ['get', 'list', 'create', 'update', 'patch', 'delete'],
          },
          { apiGroups: [''], resources: ['nodes'], resourceNames: ['n1'], verbs: ['get'] },
          { apiGroups: [''], resources: ['nodes/status'], verbs: ['patch'] },
          { nonResourceURLs: ['/version'], verbs: ['get'] },
        ],
      },
    },
    {
      name: 'a bad role',
      method: 'POST',
      path: `${rbac}/clusterroles`,
      body: {
        metadata: { name: 'differential:bad' },
        rules: [{ apiGroups: [''], resources: ['configmaps'] }],
      },
    },
    {
      name: 'a role binding',
      method: 'POST',
      path: `${rbac}/namespaces/${ns}/rolebindings`,
      body: {
        metadata: { name: 'maps' },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'differential:maps' },
        subjects: [{ kind: 'Group', name: 'differential:group', apiGroup: 'rbac.authorization.k8s.io' }],
      },
    },
    {
      name: 'a binding of nobody',
      method: 'POST',
      path: `${rbac}/namespaces/${ns}/rolebindings`,
      body: {
        metadata: { name: 'nobody' },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: '' },
      },
    },
    {
      name: 'a roleRef is fixed',
      method: 'PATCH',
      type: patchTypes.merge,
      path: `${rbac}/namespaces/${ns}/rolebindings/maps`,
      body: { roleRef: { name: 'other' } },
    },
    {
      name: 'now it may create',
      method: 'POST',
      path: maps,
      body: configMap('a', { k: 'v' }),
      as,
      until: (answer) => answer.status !== 403,
    },
    { name: 'not in another namespace', path: '/api/v1/namespaces/default/configmaps', as },
    { name: 'not secrets', path: `/api/v1/namespaces/${ns}/secrets`, as },
    { name: 'not by a collection', method: 'DELETE', path: maps, as },
    {
      name: 'a cluster role binding',
      method: 'POST',
      path: `${rbac}/clusterrolebindings`,
      body: {
        metadata: { name: 'differential:maps' },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'differential:maps' },
        subjects: [{ kind: 'User', name: 'differential:someone', apiGroup: 'rbac.authorization.k8s.io' }],
      },
    },
    { name: 'by resource name', path: '/api/v1/nodes/n1', as, until: (answer) => answer.status !== 403 },
    { name: 'not another name', path: '/api/v1/nodes/n2', as },
    { name: 'not a list', path: '/api/v1/nodes', as },
    {
      name: 'ask: may I create',
      method: 'POST',
      path: '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
      body: review({ namespace: ns, verb: 'create', resource: 'configmaps' }),
      as,
    },
    {
      name: 'ask: may I watch',
      method: 'POST',
      path: '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
      body: review({ namespace: ns, verb: 'watch', resource: 'configmaps' }),
      as,
    },
    {
      name: 'ask: a subresource',
      method: 'POST',
      path: '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
      body: review({ verb: 'patch', resource: 'nodes', subresource: 'status' }),
      as,
    },
    {
      name: 'ask: a path',
      method: 'POST',
      path: '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
      body: {
        apiVersion: 'authorization.k8s.io/v1',
        kind: 'SelfSubjectAccessReview',
        spec: { nonResourceAttributes: { path: '/version', verb: 'get' } },
      },
      as,
      mayDiffer: { 'status.reason': 'which of two bindings that allow it is named' },
    },
    {
      name: 'ask nothing',
      method: 'POST',
      path: '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
      body: { apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectAccessReview', spec: {} },
      as,
    },
    {
      name: 'ask about another',
      method: 'POST',
      path: '/apis/authorization.k8s.io/v1/subjectaccessreviews',
      body: {
        apiVersion: 'authorization.k8s.io/v1',
        kind: 'SubjectAccessReview',
        spec: {
          user: 'differential:nobody',
          resourceAttributes: { namespace: ns, verb: 'get', resource: 'secrets' },
        },
      },
    },
    {
      name: 'who am I',
      method: 'POST',
      path: '/apis/authentication.k8s.io/v1/selfsubjectreviews',
      body: { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' },
      as,
    },
    {
      name: 'a policy',
      method: 'POST',
      path: `${policies}/validatingadmissionpolicies`,
      body: {
        metadata: { name: 'differential' },
        spec: {
          failurePolicy: 'Fail',
          matchConstraints: {
            namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': ns } },
            resourceRules: [
              {
                apiGroups: [''],
                apiVersions: ['v1'],
                operations: ['CREATE', 'UPDATE', 'DELETE'],
                resources: ['configmaps'],
              },
            ],
          },
          matchConditions: [
            { name: 'someone', expression: "request.userInfo.username == 'differential:someone'" },
          ],
          variables: [{ name: 'target', expression: 'request.operation == "DELETE" ? oldObject : object' }],
          validations: [
            {
              expression: "request.operation != 'DELETE'",
              message: 'someone deletes nothing',
              reason: 'Forbidden',
            },
            {
              expression: "!has(variables.target.data) || !('forbidden' in variables.target.data)",
              messageExpression: "'forbidden in ' + variables.target.metadata.name",
            },
          ],
        },
      },
      uncompared: 'its status comes at its own time',
    },
    {
      name: 'a bad policy',
      method: 'POST',
      path: `${policies}/validatingadmissionpolicies`,
      body: {
        metadata: { name: 'differential-bad' },
        spec: {
          matchConstraints: {
            resourceRules: [
              { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['configmaps'] },
            ],
          },
          validations: [{ expression: '1 +' }],
        },
      },
      uncompared: 'the words of the compiler',
    },
    {
      name: 'a binding of the policy',
      method: 'POST',
      path: `${policies}/validatingadmissionpolicybindings`,
      body: {
        metadata: { name: 'differential' },
        spec: { policyName: 'differential', validationActions: ['Deny'] },
      },
    },
    {
      name: 'denied with an expression',
      method: 'POST',
      path: `${maps}?dryRun=All`,
      body: configMap('b', { forbidden: 'x' }),
      as,
      until: (answer) => answer.status === 422 || answer.status === 403,
    },
    { name: 'let through', method: 'POST', path: maps, body: configMap('b', { fine: 'x' }), as },
    {
      name: 'denied on update',
      method: 'PATCH',
      type: patchTypes.merge,
      path: `${maps}/b`,
      body: { data: { forbidden: 'x' } },
      as,
    },
    {
      name: 'denied on apply',
      method: 'PATCH',
      type: patchTypes.apply,
      path: `${maps}/b?fieldManager=x`,
      body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'b' }, data: { forbidden: 'x' } },
      as,
    },
    { name: 'denied on delete', method: 'DELETE', path: `${maps}/b`, as },
    { name: 'not for others', method: 'DELETE', path: `${maps}/b` },
    {
      name: 'away: binding',
      method: 'DELETE',
      path: `${policies}/validatingadmissionpolicybindings/differential`,
    },
    {
      name: 'away: policy',
      method: 'DELETE',
      path: `${policies}/validatingadmissionpolicies/differential`,
      uncompared: 'its status comes at its own time',
    },
    {
      name: 'away: cluster role binding',
      method: 'DELETE',
      path: `${rbac}/clusterrolebindings/differential:maps`,
    },
    { name: 'away: cluster role', method: 'DELETE', path: `${rbac}/clusterroles/differential:maps` },
    {
      name: 'away: namespace',
      method: 'DELETE',
      path: `/api/v1/namespaces/${ns}`,
      uncompared: 'finalized at its own time',
    },
  ],
};
