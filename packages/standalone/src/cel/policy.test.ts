import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  compileExpression,
  compilePolicy,
  evaluatePolicy,
  type PolicyInput,
  type PolicySpec,
} from './index.ts';

const input: PolicyInput = {
  object: { metadata: { name: 'm1' }, spec: { replicas: 3, labels: { 'a.b/c': 'x' } } },
  oldObject: null,
  request: {
    operation: 'CREATE',
    namespace: 'default',
    resource: { group: 'apps', version: 'v1', resource: 'deployments' },
    name: 'm1',
    userInfo: { username: 'kubenode:agent:m1', groups: ['kubenode:agents'] },
  },
};

const judge = (spec: PolicySpec, given: Partial<PolicyInput> = {}) => {
  const policy = compilePolicy(spec);
  assert.deepEqual(policy.errors, []);
  return evaluatePolicy(policy, { ...input, ...given });
};
const denials = (spec: PolicySpec, given: Partial<PolicyInput> = {}): string[] => {
  const result = judge(spec, given);
  return result.matched ? result.denials.map((d) => `${d.reason}: ${d.message}`) : ['not matched'];
};

test('all validations are told, with their messages and reasons', () => {
  const spec: PolicySpec = {
    validations: [
      { expression: "request.userInfo.username == 'kubenode:agent:' + object.metadata.name" },
      {
        expression: 'object.spec.replicas <= 2',
        messageExpression: "'at most 2, not ' + string(object.spec.replicas)",
      },
      { expression: "object.spec.labels['a.b/c'] == 'y'", message: 'label', reason: 'Forbidden' },
      { expression: 'oldObject != null' },
    ],
  };
  assert.deepEqual(denials(spec), [
    'Invalid: at most 2, not 3',
    'Forbidden: label',
    'Invalid: failed expression: oldObject != null',
  ]);
});

test('variables see those before them and are computed once, when asked for', () => {
  const spec: PolicySpec = {
    variables: [
      { name: 'n', expression: 'object.spec.replicas' },
      { name: 'twice', expression: 'variables.n * 2' },
      { name: 'broken', expression: 'object.nope.nope' },
    ],
    validations: [{ expression: 'variables.twice == 6' }],
  };
  assert.deepEqual(denials(spec), []);
});

test('a match condition that is false ends it; one that fails counts as the failure policy says', () => {
  const validations = [{ expression: 'false' }];
  const when = (expression: string, failurePolicy: 'Fail' | 'Ignore') =>
    denials({ matchConditions: [{ name: 'c', expression }], validations, failurePolicy });
  assert.deepEqual(when("request.operation == 'UPDATE'", 'Fail'), ['not matched']);
  assert.deepEqual(when('object.nope', 'Ignore'), ['not matched']);
  assert.match(
    when('object.nope', 'Fail')[0] ?? '',
    /expression 'object.nope' resulted in error: no such key: nope/,
  );
});

test('an expression that fails denies, or with Ignore lets pass', () => {
  const validations = [{ expression: 'object.nope == 1' }];
  assert.match(denials({ validations })[0] ?? '', /resulted in error: no such key: nope/);
  assert.deepEqual(denials({ validations, failurePolicy: 'Ignore' }), []);
});

test('params and namespaceObject are seen, and are null where there is none', () => {
  const spec: PolicySpec = {
    paramKind: { apiVersion: 'v1', kind: 'ConfigMap' },
    validations: [
      { expression: "params != null && params.data.max == '5'" },
      { expression: 'namespaceObject == null' },
    ],
  };
  assert.deepEqual(denials(spec, { params: { data: { max: '5' } } }), []);
  assert.equal(denials(spec, { namespaceObject: { metadata: { name: 'default' } } }).length, 2);
});

test('the authorizer is asked with what the expression says', () => {
  const asked: unknown[] = [];
  const authorizer = (query: unknown) => {
    asked.push(query);
    return { allowed: asked.length > 1, reason: 'because' };
  };
  const validations = [
    {
      expression:
        "!authorizer.group('').resource('nodes').subresource('status').name('n').check('patch').allowed()",
    },
    { expression: "authorizer.requestResource.check('create').reason() == 'because'" },
    { expression: "authorizer.serviceAccount('ns', 'sa').path('/healthz').check('get').allowed()" },
  ];
  assert.deepEqual(denials({ validations }, { authorizer }), []);
  assert.deepEqual(asked[0], {
    group: '',
    resource: 'nodes',
    subresource: 'status',
    name: 'n',
    verb: 'patch',
  });
  assert.deepEqual(asked[1], {
    group: 'apps',
    resource: 'deployments',
    subresource: '',
    namespace: 'default',
    name: 'm1',
    verb: 'create',
  });
  assert.deepEqual(asked[2], {
    serviceAccount: { namespace: 'ns', name: 'sa' },
    path: '/healthz',
    verb: 'get',
  });
});

test('audit annotations', () => {
  const result = judge({
    validations: [],
    auditAnnotations: [{ key: 'who', valueExpression: 'request.userInfo.username' }],
  });
  assert.deepEqual(result, { matched: true, denials: [], auditAnnotations: { who: 'kubenode:agent:m1' } });
});

test('what does not compile is told by field, and denies as a whole', () => {
  const policy = compilePolicy({
    validations: [{ expression: 'object.a ==' }, { expression: 'params.x == 1' }, { expression: '1 + 1' }],
  });
  assert.deepEqual(
    policy.errors.map((e) => e.field),
    [0, 1, 2].map((i) => `spec.validations[${i}].expression`),
  );
  const result = evaluatePolicy(policy, input);
  assert.ok(result.matched && result.denials.length === 3);
});

test('expressions on their own: optional entries, macros with two variables, comprehensions inside comprehensions', () => {
  const evaluate = (text: string, a: unknown): unknown => compileExpression(text, ['a']).evaluate({ a });
  assert.deepEqual(evaluate('[?a.?x, 1]', {}), [1n]);
  assert.deepEqual(
    evaluate('{?"k": a.?x, "?": 2}', { x: 1 }),
    new Map([
      ['k', 1n],
      ['?', 2n],
    ]),
  );
  assert.equal(evaluate('a.all(i, v, v == i)', [0, 1, 2]), true);
  assert.deepEqual(evaluate('a.map(x, a.filter(y, y > x))', [1, 2, 3]), [[2n, 3n], [3n], []]);
  assert.equal(evaluate('a[?5].orValue("none")', []), 'none');
  assert.equal(evaluate('has(a[0].b) && a[0].b == 1', [{ b: 1 }]), true);
  assert.equal(evaluate('false && a.nope', {}), false);
  assert.equal(evaluate('a.nope || true', {}), true);
});
