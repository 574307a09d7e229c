/** What admission policies see of a request: every variable that one of ours may use, told by what it lets through. */
import { type Conversation, patchTypes, type Step } from '../conversation.ts';
import { define, forget, widget, widgets } from './widget.ts';

const group = 'admission.differential.test';
const all = widgets(group);
const policies = '/apis/admissionregistration.k8s.io/v1';
const as = { user: 'differential:writer', groups: ['differential:writers'] };

/** One policy: each expression must hold, or the request is refused with its own text. */
const policy = (expressions: readonly string[]) => ({
  metadata: { name: 'differential-admission' },
  spec: {
    failurePolicy: 'Fail',
    matchConstraints: {
      resourceRules: [
        {
          apiGroups: [group],
          apiVersions: ['*'],
          operations: ['CREATE', 'UPDATE', 'DELETE'],
          resources: ['widgets', 'widgets/status', 'widgets/scale'],
        },
      ],
    },
    matchConditions: [{ name: 'try', expression: "request.name != 'free'" }],
    variables: [
      { name: 'color', expression: "has(object.spec.color) ? object.spec.color : 'none'" },
      { name: 'status', expression: "has(request.subResource) && request.subResource == 'status'" },
    ],
    validations: expressions.map((expression) => ({
      expression,
      messageExpression: `"operation " + request.operation + " on " + request.resource.resource + (has(request.subResource) ? "/" + request.subResource : "") + " by " + request.userInfo.username`,
    })),
  },
});

const write = (name: string, metadata: Record<string, unknown> = {}): Step => ({
  name: `create ${name}`,
  method: 'POST',
  path: all,
  body: widget(group, name, { size: 1 }, metadata),
});

/** The same write under one expression after another: which of them hold? */
function underEach(expressions: readonly string[]): Step[] {
  const path = `${policies}/validatingadmissionpolicies/differential-admission`;
  return expressions.flatMap((expression, i): Step[] => [
    {
      name: `policy: ${expression}`,
      method: 'PATCH',
      type: patchTypes.merge,
      path,
      body: {
        metadata: { labels: { step: `s${i}` } },
        spec: { validations: [{ expression, message: `s${i}` }] },
      },
      uncompared: 'its status comes at its own time',
    },
    {
      name: `refuses or not: ${expression}`,
      method: 'PATCH',
      type: patchTypes.merge,
      path: `${all}/a?dryRun=All`,
      body: { metadata: { annotations: { probe: `s${i}` } }, spec: { size: 2 } },
      until: (answer) => answer.status !== 200 && JSON.stringify(answer.body).includes(`: s${i}`),
    },
  ]);
}

/** All of these are false for the update of `a`: the answer names the policy and the message. */
const refusing: readonly string[] = [
  'false',
  'has(request.subResource)',
  "request.operation == 'CREATE'",
  "request.kind.kind != 'Widget' || request.resource.resource != 'widgets'",
  'request.dryRun == false',
  "object.spec.size == oldObject.spec.size || variables.color == 'none'",
  "object.metadata.annotations.probe == ''",
  "'system:masters' in request.userInfo.groups == false",
  "object.metadata.name.startsWith('b') || object.spec.?maybe.orValue('x') == 'y'",
  'object.metadata.managedFields.size() == 0',
  'has(object.status)',
  "authorizer.group('').resource('secrets').check('get').allowed() == false",
];

export const admission: Conversation = {
  name: 'what admission policies see',
  steps: [
    ...define(group),
    write('a'),
    {
      name: 'a role for the writer',
      method: 'POST',
      path: '/apis/rbac.authorization.k8s.io/v1/clusterroles',
      body: {
        metadata: { name: 'differential:writer' },
        rules: [
          { apiGroups: [group], resources: ['widgets', 'widgets/status', 'widgets/scale'], verbs: ['*'] },
        ],
      },
    },
    {
      name: 'its binding',
      method: 'POST',
      path: '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings',
      body: {
        metadata: { name: 'differential:writer' },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'differential:writer' },
        subjects: [{ kind: 'Group', name: 'differential:writers', apiGroup: 'rbac.authorization.k8s.io' }],
      },
    },
    {
      name: 'the policy',
      method: 'POST',
      path: `${policies}/validatingadmissionpolicies`,
      body: policy(["request.userInfo.username != 'differential:writer' || variables.status"]),
      uncompared: 'its status comes at its own time',
    },
    {
      name: 'its binding to all',
      method: 'POST',
      path: `${policies}/validatingadmissionpolicybindings`,
      body: {
        metadata: { name: 'differential-admission' },
        spec: { policyName: 'differential-admission', validationActions: ['Deny'] },
      },
    },
    {
      name: 'the writer may not create',
      method: 'POST',
      path: `${all}?dryRun=All`,
      body: widget(group, 'b', { size: 1 }),
      as,
      until: (answer) => answer.status === 422,
    },
    {
      name: 'nor change the spec',
      method: 'PATCH',
      type: patchTypes.merge,
      path: `${all}/a`,
      body: { spec: { size: 2 } },
      as,
    },
    {
      name: 'nor apply it',
      method: 'PATCH',
      type: patchTypes.apply,
      path: `${all}/a?fieldManager=writer&force=true`,
      body: widget(group, 'a', { size: 3 }),
      as,
    },
    {
      name: 'nor apply what is not there',
      method: 'PATCH',
      type: patchTypes.apply,
      path: `${all}/c?fieldManager=writer`,
      body: widget(group, 'c', { size: 3 }),
      as,
    },
    { name: 'nor delete', method: 'DELETE', path: `${all}/a`, as },
    { name: 'nor delete many', method: 'DELETE', path: all, as },
    {
      name: 'nor scale',
      method: 'PATCH',
      type: patchTypes.merge,
      path: `${all}/a/scale`,
      body: { spec: { replicas: 3 } },
      as,
    },
    {
      name: 'but write the status',
      method: 'PATCH',
      type: patchTypes.merge,
      path: `${all}/a/status`,
      body: { status: { phase: 'Good' } },
      as,
    },
    {
      name: 'and apply to it',
      method: 'PATCH',
      type: patchTypes.apply,
      path: `${all}/a/status?fieldManager=writer&force=true`,
      body: {
        apiVersion: `${group}/v1`,
        kind: 'Widget',
        metadata: { name: 'a' },
        status: { phase: 'Better' },
      },
      as,
    },
    {
      name: 'and what the condition lets go',
      method: 'POST',
      path: all,
      body: widget(group, 'free', { size: 1 }),
      as,
    },
    ...underEach(refusing),
    {
      name: 'a policy that fails',
      method: 'PATCH',
      type: patchTypes.merge,
      path: `${policies}/validatingadmissionpolicies/differential-admission`,
      body: { spec: { validations: [{ expression: "object.spec.nothing.here == 'x'" }] } },
      uncompared: 'its status comes at its own time',
    },
    {
      name: 'refuses as well',
      method: 'PATCH',
      type: patchTypes.merge,
      path: `${all}/a?dryRun=All`,
      body: { spec: { size: 4 } },
      until: (answer) => JSON.stringify(answer.body).includes('no such key'),
    },
    {
      name: 'away: its binding',
      method: 'DELETE',
      path: `${policies}/validatingadmissionpolicybindings/differential-admission`,
    },
    {
      name: 'away: the policy',
      method: 'DELETE',
      path: `${policies}/validatingadmissionpolicies/differential-admission`,
      uncompared: 'its status comes at its own time',
    },
    {
      name: 'away: the binding',
      method: 'DELETE',
      path: '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/differential:writer',
    },
    {
      name: 'away: the role',
      method: 'DELETE',
      path: '/apis/rbac.authorization.k8s.io/v1/clusterroles/differential:writer',
    },
    forget(group),
  ],
};
