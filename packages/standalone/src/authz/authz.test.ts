import assert from 'node:assert/strict';
import { createPrivateKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import '../certificates/reflect.ts';
import { Pkcs10CertificateRequestGenerator } from '@peculiar/x509';
import { list, text, type Obj } from '../object.ts';
import { testServer, type As, type TestServer } from '../testing.ts';

const CSRS = '/apis/certificates.k8s.io/v1/certificatesigningrequests';
const SECRETS = '/api/v1/namespaces/kube-system/secrets';
const RBAC = '/apis/rbac.authorization.k8s.io/v1';

async function request(commonName: string, organizations: string[]): Promise<{ pem: string; key: string }> {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const curve = { name: 'ECDSA', namedCurve: 'P-256' };
  const der = new Uint8Array(createPrivateKey(key).export({ type: 'pkcs8', format: 'der' }));
  const signer = await crypto.subtle.importKey('pkcs8', der, curve, true, ['sign']);
  const jwk = await crypto.subtle.exportKey('jwk', signer);
  const { d: _, key_ops: _ops, ...open } = jwk;
  const publicKey = await crypto.subtle.importKey('jwk', open, curve, true, ['verify']);
  const csr = await Pkcs10CertificateRequestGenerator.create({
    name: [...organizations.map((name) => ({ O: [name] })), { CN: [commonName] }],
    keys: { privateKey: signer, publicKey },
    signingAlgorithm: { ...curve, hash: 'SHA-256' },
  });
  return { pem: csr.toString('pem'), key };
}

function csrObject(name: string, pem: string, signer: string, more: Obj = {}): Obj {
  return {
    apiVersion: 'certificates.k8s.io/v1',
    kind: 'CertificateSigningRequest',
    metadata: { name },
    spec: {
      request: Buffer.from(pem).toString('base64'),
      signerName: signer,
      usages: ['digital signature', 'client auth'],
      ...more,
    },
  };
}

const CLIENT = 'kubernetes.io/kube-apiserver-client';
const KUBELET = 'kubernetes.io/kube-apiserver-client-kubelet';

async function approve(s: TestServer, name: string): Promise<void> {
  const conditions = [{ type: 'Approved', status: 'True', reason: 'Test', message: 'by the test' }];
  const answer = await s.merge(`${CSRS}/${name}/approval`, { status: { conditions } });
  assert.equal(answer.status, 200, answer.text);
}

async function issued(s: TestServer, name: string): Promise<string> {
  const answer = await s.until(`${CSRS}/${name}`, (a) => text(a.body, 'status', 'certificate') !== undefined);
  return Buffer.from(text(answer.body, 'status', 'certificate') ?? '', 'base64').toString('utf8');
}

async function clientFor(s: TestServer, user: string, groups: string[] = []): Promise<As> {
  const { pem, key } = await request(user, groups);
  const name = `t-${Math.random().toString(36).slice(2)}`;
  await s.post(CSRS, csrObject(name, pem, CLIENT));
  await approve(s, name);
  return { cert: await issued(s, name), key };
}

async function bootstrapToken(s: TestServer, more: Record<string, string> = {}): Promise<string> {
  const stringData = {
    'token-id': 'abcdef',
    'token-secret': '0123456789abcdef',
    'usage-bootstrap-authentication': 'true',
    'auth-extra-groups': 'system:bootstrappers:test,not-allowed',
    ...more,
  };
  const secret = {
    metadata: { name: 'bootstrap-token-abcdef' },
    type: 'bootstrap.kubernetes.io/token',
    stringData,
  };
  const made = await s.post(SECRETS, secret);
  assert.equal(made.status, 201, made.text);
  return 'abcdef.0123456789abcdef';
}

async function whoami(s: TestServer, as: As): Promise<Obj> {
  const { body } = await s.post('/apis/authentication.k8s.io/v1/selfsubjectreviews', {}, as);
  return (body['status'] as { userInfo: Obj }).userInfo;
}

test('nobody known reads health and version, and nothing else', async (t) => {
  const s = await testServer(t);
  for (const path of ['/healthz', '/readyz', '/livez', '/version']) {
    assert.equal((await s.get(path, { anonymous: true })).status, 200, path);
  }
  for (const path of ['/api', '/api/v1/namespaces', '/openapi/v3']) {
    assert.equal((await s.get(path, { anonymous: true })).status, 403, path);
  }
  assert.equal((await s.get('/version', { token: 'wrong' })).status, 401);
});

test('an approved request gets a certificate for exactly its name, groups and life', async (t) => {
  const s = await testServer(t);
  const { pem, key } = await request('kubenode:agent:n1', ['kubenode:agents']);
  await s.post(CSRS, csrObject('one', pem, CLIENT, { expirationSeconds: 3600 }));
  await approve(s, 'one');
  const cert = await issued(s, 'one');
  const parsed = new X509Certificate(cert);
  const life = Date.parse(parsed.validTo) - Date.now();
  assert.ok(life > 3590_000 && life <= 3600_000, `lives ${life} ms`);
  assert.deepEqual(parsed.keyUsage, ['1.3.6.1.5.5.7.3.2']);
  const info = await whoami(s, { cert, key });
  assert.deepEqual(
    [info['username'], info['groups']],
    ['kubenode:agent:n1', ['kubenode:agents', 'system:authenticated']],
  );
});

test('a request that is denied, or not approved, is never signed; one that can not be signed fails', async (t) => {
  const s = await testServer(t);
  const { pem } = await request('someone', []);
  await s.post(CSRS, csrObject('denied', pem, CLIENT));
  await s.merge(`${CSRS}/denied/approval`, { status: { conditions: [{ type: 'Denied', status: 'True' }] } });
  await s.post(CSRS, csrObject('odd', pem, CLIENT, { usages: ['server auth', 'client auth'] }));
  await approve(s, 'odd');
  const failed = await s.until(`${CSRS}/odd`, (a) =>
    list(a.body, 'status', 'conditions').some((c) => text(c, 'type') === 'Failed'),
  );
  assert.equal(text(failed.body, 'status', 'certificate'), undefined);
  assert.equal(text((await s.get(`${CSRS}/denied`)).body, 'status', 'certificate'), undefined);
  const short = await s.post(CSRS, csrObject('short', pem, CLIENT, { expirationSeconds: 60 }));
  assert.equal(short.status, 422);
  const masters = await request('root', ['system:masters']);
  assert.equal((await s.post(CSRS, csrObject('masters', masters.pem, CLIENT))).status, 403);
});

test('a joining kubelet is approved for a node name, and later for its own alone', async (t) => {
  const s = await testServer(t);
  const token = await bootstrapToken(s);
  const { pem, key } = await request('system:node:n1', ['system:nodes']);
  const made = await s.post(CSRS, csrObject('join', pem, KUBELET), { token });
  assert.deepEqual(list(made.body, 'spec', 'groups'), [
    'system:bootstrappers',
    'system:bootstrappers:test',
    'system:authenticated',
  ]);
  const cert = await issued(s, 'join');
  const node: As = { cert, key };
  const renewal = await request('system:node:n1', ['system:nodes']);
  await s.post(CSRS, csrObject('renew', renewal.pem, KUBELET), node);
  await issued(s, 'renew');
  const foreign = await request('system:node:n2', ['system:nodes']);
  await s.post(CSRS, csrObject('foreign', foreign.pem, KUBELET), node);
  const own = await s.post('/api/v1/nodes', { metadata: { name: 'n1' } }, node);
  assert.equal(own.status, 201, own.text);
  const other = await s.post('/api/v1/nodes', { metadata: { name: 'n2' } }, node);
  assert.equal(other.status, 403);
  const labelled = await s.merge(
    '/api/v1/nodes/n1',
    { metadata: { labels: { 'node-role.kubernetes.io/x': '' } } },
    node,
  );
  assert.equal(labelled.status, 403, labelled.text);
  const tainted = await s.merge(
    '/api/v1/nodes/n1',
    { spec: { taints: [{ key: 'a', effect: 'NoSchedule' }] } },
    node,
  );
  assert.equal(tainted.status, 403);
  assert.equal((await s.get(`${SECRETS}/bootstrap-token-abcdef`, node)).status, 403);
  assert.equal(list((await s.get(`${CSRS}/foreign`)).body, 'status', 'conditions').length, 0);
});

test('a bootstrap token ends at its expiration and with its Secret', async (t) => {
  let now = Date.parse('2026-11-22T12:00:00Z');
  const s = await testServer(t, { clock: () => now });
  const token = await bootstrapToken(s, { expiration: '2026-11-22T13:00:00Z' });
  assert.equal((await s.get('/api', { token })).status, 200);
  assert.equal((await s.get('/api', { token: 'abcdef.0123456789abcdeX' })).status, 401);
  assert.equal((await s.get('/api', { token: 'abcdef.0123456789abcdee' })).status, 401);
  now += 3600_000;
  assert.equal((await s.get('/api', { token })).status, 401);
});

test('a ServiceAccount token is its account, until it ends or the account is deleted', async (t) => {
  let now = Date.now();
  const s = await testServer(t, { clock: () => now });
  const accounts = '/api/v1/namespaces/default/serviceaccounts';
  await s.post(accounts, { metadata: { name: 'bot' } });
  const made = await s.post(`${accounts}/bot/token`, { spec: { expirationSeconds: 600 } });
  assert.equal(made.status, 201, made.text);
  const token = text(made.body, 'status', 'token') ?? '';
  assert.equal((await whoami(s, { token }))['username'], 'system:serviceaccount:default:bot');
  assert.equal((await s.get('/api', { token: `${token.slice(0, -4)}AAAA` })).status, 401);
  now += 601_000;
  assert.equal((await s.get('/api', { token })).status, 401);
  now -= 601_000;
  await s.delete(`${accounts}/bot`);
  assert.equal((await s.get('/api', { token })).status, 401);
});

test('roles allow by name, subresource and namespace, and nobody grants more than they have', async (t) => {
  const s = await testServer(t);
  const bob = await clientFor(s, 'bob');
  const rules = [
    {
      apiGroups: [''],
      resources: ['configmaps'],
      resourceNames: ['mine'],
      verbs: ['get', 'update', 'patch', 'watch', 'list'],
    },
    { apiGroups: [''], resources: ['nodes/status'], verbs: ['patch'] },
    { apiGroups: ['rbac.authorization.k8s.io'], resources: ['roles', 'rolebindings'], verbs: ['create'] },
  ];
  await s.post(`${RBAC}/clusterroles`, { metadata: { name: 'some' }, rules });
  const subjects = [{ kind: 'User', name: 'bob', apiGroup: 'rbac.authorization.k8s.io' }];
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'some' };
  await s.post(`${RBAC}/namespaces/default/rolebindings`, { metadata: { name: 'bob' }, subjects, roleRef });
  const maps = '/api/v1/namespaces/default/configmaps';
  await s.post(maps, { metadata: { name: 'mine' } });
  assert.equal((await s.get(`${maps}/mine`, bob)).status, 200);
  const refused = await s.get(`${maps}/other`, bob);
  assert.equal(
    refused.body['message'],
    'configmaps "other" is forbidden: User "bob" cannot get resource "configmaps" in API group "" in the namespace "default"',
  );
  assert.equal((await s.get(`${maps}?fieldSelector=metadata.name%3Dmine`, bob)).status, 200);
  assert.equal((await s.get(maps, bob)).status, 403);
  assert.equal((await s.get('/api/v1/namespaces/kube-system/configmaps/mine', bob)).status, 403);
  assert.equal(
    (await s.merge('/api/v1/nodes/n1/status', {}, bob)).status,
    403,
    'a RoleBinding gives nothing cluster-wide',
  );
  const roles = `${RBAC}/namespaces/default/roles`;
  const more = {
    metadata: { name: 'more' },
    rules: [{ apiGroups: [''], resources: ['secrets'], verbs: ['get'] }],
  };
  assert.equal((await s.post(roles, more, bob)).status, 403);
  const less = {
    metadata: { name: 'less' },
    rules: [{ apiGroups: [''], resources: ['configmaps'], resourceNames: ['mine'], verbs: ['get'] }],
  };
  assert.equal((await s.post(roles, less, bob)).status, 201);
});

test('acting as somebody else needs the right to, and then is nothing but that', async (t) => {
  const s = await testServer(t);
  const headers = { 'impersonate-user': 'bob', 'impersonate-group': 'team' };
  const info = await whoami(s, { headers });
  assert.deepEqual([info['username'], info['groups']], ['bob', ['team', 'system:authenticated']]);
  assert.equal((await s.get('/api/v1/nodes', { headers })).status, 403);
  const bob = await clientFor(s, 'bob');
  const refused = await s.get('/api', { ...bob, headers: { 'impersonate-user': 'kubernetes-admin' } });
  assert.equal(refused.status, 403);
});

test('approving and signing need the signer, not only the subresource', async (t) => {
  const s = await testServer(t);
  const bob = await clientFor(s, 'bob');
  const rules = [
    {
      apiGroups: ['certificates.k8s.io'],
      resources: ['certificatesigningrequests', 'certificatesigningrequests/approval'],
      verbs: ['*'],
    },
  ];
  await s.post(`${RBAC}/clusterroles`, { metadata: { name: 'csr' }, rules });
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'csr' };
  await s.post(`${RBAC}/clusterrolebindings`, {
    metadata: { name: 'csr' },
    roleRef,
    subjects: [{ kind: 'User', name: 'bob' }],
  });
  const { pem } = await request('eve', []);
  await s.post(CSRS, csrObject('eve', pem, CLIENT), bob);
  const status = { conditions: [{ type: 'Approved', status: 'True' }] };
  const refused = await s.merge(`${CSRS}/eve/approval`, { status }, bob);
  assert.equal(refused.status, 403, refused.text);
  assert.match(String(refused.body['message']), /not permitted to approve requests with signerName/);
  const sneaky = await s.merge(
    `${CSRS}/eve`,
    { status: { ...status, certificate: 'Zm9v' }, spec: { username: 'root' } },
    bob,
  );
  assert.equal(text(sneaky.body, 'spec', 'username'), 'bob');
  assert.deepEqual(list(sneaky.body, 'status', 'conditions'), []);
});
