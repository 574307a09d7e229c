import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Obj } from '../object.ts';
import { CRDS, testServer, widget, WIDGETS, widgets, type As, type TestServer } from '../testing.ts';

const GROUP = '/apis/admissionregistration.k8s.io/v1';

async function policy(s: TestServer, name: string, spec: Obj, binding: Obj = {}): Promise<void> {
  const made = await s.post(`${GROUP}/validatingadmissionpolicies`, { metadata: { name }, spec });
  assert.equal(made.status, 201, made.text);
  const bound = await s.post(`${GROUP}/validatingadmissionpolicybindings`, {
    metadata: { name: `${name}-everywhere` },
    spec: { policyName: name, validationActions: ['Deny'], ...binding },
  });
  assert.equal(bound.status, 201, bound.text);
}

const rules = (resources: string[], operations: string[], apiGroups = ['example.io']): Obj => ({
  resourceRules: [{ apiGroups, apiVersions: ['*'], resources, operations }],
});

test('a policy refuses what its expression does not allow, in the real words', async (t) => {
  const s = await testServer(t);
  await s.post(CRDS, widgets());
  await policy(s, 'few', {
    matchConstraints: rules(['widgets'], ['CREATE', 'UPDATE']),
    variables: [{ name: 'n', expression: 'object.spec.replicas' }],
    validations: [{ expression: 'variables.n <= 3' }],
  });
  const refused = await s.post(WIDGETS, widget('a', { color: 'red', replicas: 4 }));
  assert.equal(refused.status, 422, refused.text);
  assert.equal(
    refused.body['message'],
    `widgets.example.io "a" is forbidden: ValidatingAdmissionPolicy 'few' with binding 'few-everywhere' denied request: failed expression: variables.n <= 3`,
  );
  assert.equal((await s.post(WIDGETS, widget('a'))).status, 201);
  assert.equal((await s.merge(`${WIDGETS}/a`, { spec: { replicas: 9 } })).status, 422);
  assert.deepEqual((await s.get(`${WIDGETS}/a`)).body['spec'], { color: 'red', replicas: 1 });
});

test("a user is held to its own object, in a subresource, and on a built-in kind's fields", async (t) => {
  const s = await testServer(t);
  await policy(s, 'own-node', {
    matchConstraints: rules(['nodes', 'nodes/status'], ['*'], ['']),
    matchConditions: [{ name: 'agents', expression: `'agents' in request.userInfo.groups` }],
    validations: [
      {
        expression: `has(request.subResource) && request.subResource == 'status'`,
        message: 'only status',
        reason: 'Forbidden',
      },
      {
        expression: `request.userInfo.username == 'agent:' + object.metadata.name`,
        messageExpression: `'not yours: ' + object.metadata.name`,
        reason: 'Forbidden',
      },
      {
        expression: `object.metadata.?labels.orValue({}) == oldObject.metadata.?labels.orValue({}) && object.status.?capacity == oldObject.status.?capacity`,
        message: 'conditions alone',
        reason: 'Forbidden',
      },
    ],
  });
  const rbac = '/apis/rbac.authorization.k8s.io/v1';
  const verbs = ['get', 'patch', 'delete'];
  await s.post(`${rbac}/clusterroles`, {
    metadata: { name: 'agents' },
    rules: [{ apiGroups: [''], resources: ['nodes', 'nodes/status'], verbs }],
  });
  await s.post(`${rbac}/clusterrolebindings`, {
    metadata: { name: 'agents' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'agents' },
    subjects: [{ kind: 'Group', name: 'agents', apiGroup: 'rbac.authorization.k8s.io' }],
  });
  for (const name of ['n1', 'n2']) await s.post('/api/v1/nodes', { metadata: { name, labels: { a: 'b' } } });
  const agent: As = { headers: { 'impersonate-user': 'agent:n1', 'impersonate-group': 'agents' } };
  const conditions = { status: { conditions: [{ type: 'Disk', status: 'True' }] } };
  const type = 'application/strategic-merge-patch+json';
  const patch = async (path: string, body: Obj): Promise<[number, unknown]> => {
    const answer = await s.call('PATCH', path, body, type, agent);
    return [answer.status, answer.body['message']];
  };
  assert.equal((await patch('/api/v1/nodes/n1/status', conditions))[0], 200);
  const [code, message] = await patch('/api/v1/nodes/n2/status', conditions);
  assert.equal(code, 403);
  assert.match(String(message), /denied request: not yours: n2/);
  assert.equal((await patch('/api/v1/nodes/n1/status', { metadata: { labels: { a: 'c' } } }))[0], 403);
  assert.equal((await patch('/api/v1/nodes/n1/status', { status: { capacity: { cpu: '99' } } }))[0], 403);
  assert.equal((await patch('/api/v1/nodes/n1', { spec: { unschedulable: true } }))[0], 403);
  assert.equal((await s.delete('/api/v1/nodes/n1', undefined, agent)).status, 403);
  assert.equal(
    (await s.merge('/api/v1/nodes/n2', { metadata: { labels: { a: 'c' } } })).status,
    200,
    'others are let be',
  );
});

test('a policy warns where that is all it shall do, and fails as it says where it can not be evaluated', async (t) => {
  const s = await testServer(t);
  await s.post(CRDS, widgets());
  const failing = {
    matchConstraints: rules(['widgets'], ['CREATE']),
    validations: [{ expression: 'object.spec.missing == 1' }],
  };
  await policy(s, 'lenient', { ...failing, failurePolicy: 'Ignore' });
  await policy(
    s,
    'warner',
    {
      matchConstraints: rules(['widgets'], ['CREATE']),
      validations: [{ expression: `object.spec.color == 'blue'`, message: 'blue is better' }],
    },
    { validationActions: ['Warn'] },
  );
  const warned = await s.post(WIDGETS, widget('a'));
  assert.equal(warned.status, 201, warned.text);
  assert.match(String(warned.headers['warning']), /blue is better/);
  await policy(s, 'strict', failing);
  assert.equal((await s.post(WIDGETS, widget('b'))).status, 422);
  await s.delete(`${GROUP}/validatingadmissionpolicybindings/strict-everywhere`);
  assert.equal((await s.post(WIDGETS, widget('b'))).status, 201);
});

test('a policy takes its parameters from an object, and works after a restart', async (t) => {
  const s = await testServer(t);
  await s.post(CRDS, widgets());
  const maps = '/api/v1/namespaces/default/configmaps';
  await s.post(maps, { metadata: { name: 'limits' }, data: { color: 'blue' } });
  await policy(
    s,
    'parametric',
    {
      paramKind: { apiVersion: 'v1', kind: 'ConfigMap' },
      matchConstraints: rules(['widgets'], ['CREATE']),
      validations: [{ expression: 'object.spec.color == params.data.color' }],
    },
    { paramRef: { name: 'limits', namespace: 'default', parameterNotFoundAction: 'Deny' } },
  );
  await s.restart();
  assert.equal((await s.post(WIDGETS, widget('a'))).status, 422);
  assert.equal((await s.post(WIDGETS, widget('a', { color: 'blue' }))).status, 201);
  await s.delete(`${maps}/limits`);
  assert.equal((await s.post(WIDGETS, widget('b', { color: 'blue' }))).status, 422);
});

test('a policy whose expression does not compile is refused', async (t) => {
  const s = await testServer(t);
  const spec = { matchConstraints: rules(['widgets'], ['CREATE']), validations: [{ expression: 'object.' }] };
  const refused = await s.post(`${GROUP}/validatingadmissionpolicies`, { metadata: { name: 'bad' }, spec });
  assert.equal(refused.status, 422);
  assert.match(String(refused.body['message']), /spec\.validations\[0\]\.expression/);
});
