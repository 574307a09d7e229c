import assert from 'node:assert/strict';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { fakeClock } from '../clock/fake-clock.ts';
import { testAuthority } from '../testing/certificates.ts';
import { execCredentials } from './exec.ts';
import { inCluster } from './in-cluster.ts';
import { fileCredentials, loadKubeconfig, parseKubeconfig } from './kubeconfig.ts';
import { parseYaml } from './yaml.ts';

async function folder(t: TestContext): Promise<string> {
  const made = await mkdtemp(path.join(tmpdir(), 'runtime-'));
  t.after(() => rm(made, { recursive: true }));
  return made;
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');

const kubeconfig = (user: string): string => `apiVersion: v1
kind: Config
# written by hand
clusters:
- cluster:
    certificate-authority-data: ${base64('CA')}
    server: https://10.0.0.1:6443
  name: prod
- name: other
  cluster: {"server": "https://other"}
contexts:
- context:
    cluster: prod
    namespace: kubenode-system
    user: admin
  name: admin@prod
- context: {"cluster": "other", "user": ""}
  name: "other"
current-context: admin@prod
preferences: {}
users:
- name: admin
  user:
${user}
`;

test('certificate and key in the kubeconfig', async () => {
  const made = parseKubeconfig(
    kubeconfig(`    client-certificate-data: ${base64('CERT')}\n    client-key-data: ${base64('KEY')}`),
    '/',
  );
  assert.equal(made.server, 'https://10.0.0.1:6443');
  assert.equal(made.ca, 'CA');
  assert.equal(made.namespace, 'kubenode-system');
  assert.deepEqual(await made.credentials?.identity(), { cert: 'CERT', key: 'KEY' });
});

test('another context, without a user', () => {
  assert.deepEqual(parseKubeconfig(kubeconfig('    token: x'), '/', { context: 'other' }), {
    server: 'https://other',
  });
});

test('a JSON kubeconfig', async () => {
  const text = JSON.stringify(
    {
      clusters: [
        {
          name: 'c',
          cluster: { server: 'https://c', 'insecure-skip-tls-verify': true, 'tls-server-name': 'kubernetes' },
        },
      ],
      contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
      users: [{ name: 'u', user: { token: 'secret' } }],
      'current-context': 'x',
    },
    undefined,
    2,
  );
  const made = parseKubeconfig(text, '/');
  assert.deepEqual([made.insecureSkipVerify, made.tlsServerName], [true, 'kubernetes']);
  assert.deepEqual(await made.credentials?.identity(), { token: 'secret' });
});

test('files beside the kubeconfig', async (t) => {
  const at = await folder(t);
  await writeFile(path.join(at, 'ca.crt'), 'CA');
  await writeFile(path.join(at, 'me.crt'), 'CERT');
  await writeFile(path.join(at, 'me.key'), 'KEY');
  await writeFile(
    path.join(at, 'config'),
    kubeconfig('    client-certificate: me.crt\n    client-key: me.key').replace(
      /certificate-authority-data: .*/,
      'certificate-authority: ca.crt',
    ),
  );
  const made = await loadKubeconfig(path.join(at, 'config'));
  assert.equal(made.ca, 'CA');
  assert.deepEqual(await made.credentials?.identity(), { cert: 'CERT', key: 'KEY' });
});

test('what is wrong is named, and no secret is shown', async (t) => {
  const bad: Readonly<Record<string, RegExp>> = {
    [kubeconfig('    token: s3cret').replace('cluster: prod', 'cluster: missing')]:
      /clusters has none named "missing"/,
    [kubeconfig('    token: s3cret').replace('current-context: admin@prod', '')]: /no current-context/,
    [kubeconfig(`    client-certificate-data: ${base64('C')}`)]:
      /user admin: a client certificate needs its key/,
    [kubeconfig('    username: a\n    password: s3cret')]: /use exec, a token or a certificate/,
    [kubeconfig('    token: s3cret').replace('server: https://10.0.0.1:6443', 'sever: x')]:
      /prod: server is missing/,
    'a: &x 1': /line 1: & \(anchors/,
  };
  for (const [text, pattern] of Object.entries(bad)) {
    assert.throws(
      () => parseKubeconfig(text, '/'),
      (error) => error instanceof Error && pattern.test(error.message) && !error.message.includes('s3cret'),
    );
  }
  const file = path.join(await folder(t), 'config');
  await writeFile(file, 'a: [');
  await assert.rejects(
    loadKubeconfig(file),
    (error) => error instanceof Error && error.message.startsWith(`kubeconfig ${file}: line 1:`),
  );
});

test('a program gives the identity: asked once for all, again before its end and when refused', async (t) => {
  const at = await folder(t);
  const program = path.join(at, 'get-token');
  await writeFile(
    program,
    `#!/bin/sh
echo x >> ${path.join(at, 'runs')}
n=$(wc -l < ${path.join(at, 'runs')})
case "$KUBERNETES_EXEC_INFO" in *ExecCredential*) ;; *) exit 1;; esac
echo "{\\"status\\":{\\"token\\":\\"$1-$REGION-$((n))\\",\\"expirationTimestamp\\":\\"2026-01-01T01:00:00Z\\"}}"
`,
  );
  await chmod(program, 0o755);
  const clock = fakeClock();
  const user = `    exec:
      apiVersion: client.authentication.k8s.io/v1
      args:
      - a
      command: ./get-token
      env:
      - name: REGION
        value: eu
      interactiveMode: Never
      provideClusterInfo: false`;
  assert.deepEqual(await parseKubeconfig(kubeconfig(user), at).credentials?.identity(), { token: 'a-eu-1' });
  const made = execCredentials({ command: program, args: ['b'], env: { REGION: 'us' }, clock });
  const [one, two] = await Promise.all([made.identity(), made.identity()]);
  assert.deepEqual([one, two], [{ token: 'b-us-2' }, { token: 'b-us-2' }]);
  await clock.advance(58 * 60_000);
  assert.deepEqual(await made.identity(), { token: 'b-us-2' });
  await clock.advance(60_000);
  assert.deepEqual(await made.identity(), { token: 'b-us-3' });
  made.rejected?.();
  assert.deepEqual(await made.identity(), { token: 'b-us-4' });
});

test('a program that fails says how, and is asked again', async (t) => {
  const at = await folder(t);
  const program = path.join(at, 'broken');
  await writeFile(program, '#!/bin/sh\necho "not logged in" >&2\nexit 3\n');
  await chmod(program, 0o755);
  const made = execCredentials({ command: program });
  await assert.rejects(made.identity(), /broken ended with 3: not logged in/);
  await writeFile(program, '#!/bin/sh\necho secret-token\n');
  await assert.rejects(
    made.identity(),
    (error) =>
      error instanceof Error &&
      /printed no JSON/.test(error.message) &&
      !error.message.includes('secret-token'),
  );
  await assert.rejects(
    execCredentials({ command: path.join(at, 'none') }).identity(),
    /is not there; install it/,
  );
});

test('renewed files are read again after a minute, and never as a torn pair', async (t) => {
  const at = await folder(t);
  const [certFile, keyFile] = [path.join(at, 'crt'), path.join(at, 'key')];
  const authority = testAuthority();
  const [before, after] = [authority.client('a'), authority.client('a')];
  await writeFile(certFile, before.cert);
  await writeFile(keyFile, before.key);
  const clock = fakeClock();
  const made = fileCredentials({ certFile, keyFile }, clock);
  assert.equal((await made.identity()).cert, before.cert.trim());
  await writeFile(certFile, after.cert);
  assert.equal((await made.identity()).cert, before.cert.trim());
  await clock.advance(60_000);
  const torn = await made.identity();
  assert.deepEqual([torn.cert, torn.key], [before.cert.trim(), before.key.trim()]);
  await writeFile(keyFile, after.key);
  const whole = await made.identity();
  assert.deepEqual([whole.cert, whole.key], [after.cert.trim(), after.key.trim()]);
  await rm(keyFile);
  await clock.advance(60_000);
  assert.equal((await made.identity()).key, after.key.trim());
});

test('a pod has its connection, anything else none', async (t) => {
  assert.equal(await inCluster({}), undefined);
  const at = await folder(t);
  await writeFile(path.join(at, 'ca.crt'), 'CA');
  await writeFile(path.join(at, 'token'), 'T\n');
  await writeFile(path.join(at, 'namespace'), 'kubenode-system');
  const made = await inCluster({ KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '443' }, at);
  assert.deepEqual(
    [made?.server, made?.ca, made?.namespace],
    ['https://[fd00::1]:443', 'CA', 'kubenode-system'],
  );
  assert.deepEqual(await made?.credentials?.identity(), { token: 'T' });
});

test('the YAML of kubeconfigs', () => {
  const text = `---
# comment
a: plain text # comment
b: 'it''s'   # comment
"c": "x\\ty"
d:
  - 1
  - k: v
    l: w
  -
    m: n
  - - x
    - y
e:
- f
g: |
  line 1

    line 2
h: >-
  folded
  text
i: [get-token, --region, eu]
j: {}
k:
l: true
m: https://h:1/p#q
n: ~
-o: p
`;
  const expected = {
    a: 'plain text',
    b: "it's",
    c: 'x\ty',
    d: ['1', { k: 'v', l: 'w' }, { m: 'n' }, ['x', 'y']],
    e: ['f'],
    g: 'line 1\n\n  line 2\n',
    h: 'folded text',
    i: ['get-token', '--region', 'eu'],
    j: {},
    k: null,
    l: true,
    m: 'https://h:1/p#q',
    n: null,
    '-o': 'p',
  };
  assert.deepEqual(JSON.parse(JSON.stringify(parseYaml(text))), expected);
  assert.equal(parseYaml('# nothing\n'), null);
  const bad: Readonly<Record<string, RegExp>> = {
    'a: 1\na: 2': /line 2: a is there twice/,
    'a:\n\tb: 1': /line 2: a tab/,
    'a: "x': /line 1: a quoted text/,
    'a: 1\n  b: 2': /line 2: this does not fit/,
    'a: *x': /line 1/,
    'just text': /line 1: expected/,
    'a: 1\n---\nb: 2': /line 2: more than one document/,
  };
  for (const [wrong, pattern] of Object.entries(bad)) assert.throws(() => parseYaml(wrong), pattern, wrong);
});
