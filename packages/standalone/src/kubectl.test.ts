import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { Obj } from './object.ts';
import { CRDS, testServer, widget, WIDGETS, widgets, type TestServer } from './testing.ts';

/** Any kubectl on the PATH; `KUBECTL` names another. */
const KUBECTL =
  process.env['KUBECTL'] ??
  (process.env['PATH'] ?? '')
    .split(delimiter)
    .map((dir) => join(dir, 'kubectl'))
    .find((file) => existsSync(file));

const skip = KUBECTL === undefined ? 'no kubectl on the PATH' : false;

interface Result {
  code: number;
  out: string;
  err: string;
}

class Kubectl {
  readonly server: TestServer;
  readonly #env: NodeJS.ProcessEnv;

  constructor(server: TestServer) {
    this.server = server;
    const kubeconfig = join(server.dir, 'kubeconfig');
    writeFileSync(kubeconfig, server.server.kubeconfig, { mode: 0o600 });
    const home = join(server.dir, 'home');
    mkdirSync(home);
    this.#env = { PATH: process.env['PATH'], HOME: home, KUBECONFIG: kubeconfig };
  }

  /** Runs it and gives what it said, whatever the outcome. `until` ends it as soon as the output has it. */
  run(args: string[], input?: unknown, env: NodeJS.ProcessEnv = {}, until?: RegExp): Promise<Result> {
    const child = spawn(KUBECTL ?? '', args, {
      env: { ...this.#env, ...env },
      stdio: 'pipe',
      timeout: 30_000,
    });
    let [out, err] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      out += chunk;
      if (until?.test(out)) child.kill();
    });
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => (err += chunk));
    child.stdin.on('error', () => undefined);
    child.stdin.end(input === undefined ? '' : JSON.stringify(input));
    return new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code) => resolve({ code: code ?? -1, out, err }));
    });
  }

  /** Runs it and expects success; what it printed. */
  async ok(args: string, input?: unknown): Promise<string> {
    const { code, out, err } = await this.run(args.split(' '), input);
    assert.equal(code, 0, `kubectl ${args}: ${err}${out}`);
    return out;
  }
}

async function start(t: TestContext): Promise<Kubectl> {
  return new Kubectl(await testServer(t));
}

const WIDGET: Obj = widget('a', { color: 'red' }, { namespace: 'default' });
const BLUE: Obj = widget('a', { color: 'blue' }, { namespace: 'default' });

async function withWidget(t: TestContext): Promise<Kubectl> {
  const k = await start(t);
  await k.ok('apply -f -', widgets());
  await k.ok('wait --for=condition=Established crd/widgets.example.io');
  await k.ok('apply -f -', WIDGET);
  return k;
}

test('kubectl applies, both ways, and says what changes', { skip }, async (t) => {
  const k = await withWidget(t);
  assert.match(await k.ok('apply -f -', WIDGET), /unchanged/);
  const diff = await k.run(['diff', '-f', '-'], BLUE);
  assert.equal(diff.code, 1, diff.err);
  assert.match(diff.out, /-\s+color: red\n\+\s+color: blue/);
  assert.match(await k.ok('apply -f -', BLUE), /configured/);
  const conflict = await k.run(['apply', '--server-side', '--field-manager=gitops', '-f', '-'], WIDGET);
  assert.equal(conflict.code, 1);
  assert.match(conflict.err, /conflict with "kubectl-client-side-apply".*spec\.color/s);
  await k.ok('apply --server-side --force-conflicts --field-manager=gitops -f -', WIDGET);
  const serverDiff = await k.run(
    ['diff', '--server-side', '--force-conflicts', '--field-manager=gitops', '-f', '-'],
    BLUE,
  );
  assert.equal(serverDiff.code, 1, serverDiff.err);
  assert.match(await k.ok('apply -f -', widgets()), /unchanged/);
});

test('kubectl moves from client-side to server-side apply', { skip }, async (t) => {
  const k = await withWidget(t);
  await k.ok('apply --server-side -f -', BLUE);
  const managers = await k.ok(
    'get wd a -o jsonpath={.metadata.managedFields[*].manager} --show-managed-fields',
  );
  assert.match(managers, /kubectl/);
  assert.doesNotMatch(managers, /client-side/);
});

test('kubectl gets columns, wide, yaml, by selector, by category, and watches', { skip }, async (t) => {
  const k = await withWidget(t);
  assert.match(await k.ok('get wd'), /^NAME +COLOR +READY +AGE\na +red +\d+s\n$/);
  assert.match(await k.ok('get widgets.example.io/a -o yaml'), /color: red/);
  assert.match(await k.ok('get all'), /widget\.example\.io\/a/);
  await k.ok('label wd a pool=web');
  assert.match(await k.ok('get wd -l pool=web --no-headers'), /^a /);
  assert.equal(await k.ok('get wd --field-selector=spec.color=blue --no-headers'), '');
  assert.match(await k.ok('get secrets,cm -A'), /configmap\/kube-root-ca\.crt/);
  const watching = k.run(['get', 'wd', '-w', '--no-headers'], undefined, {}, /blue/);
  const writing = k.ok('patch wd a --type=merge -p {"spec":{"color":"blue"}}');
  await writing;
  assert.match((await watching).out, /a +blue/);
});

test('kubectl describes, explains and lists what there is', { skip }, async (t) => {
  const k = await withWidget(t);
  const event = {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: 'e1', namespace: 'default' },
    involvedObject: { apiVersion: 'example.io/v1', kind: 'Widget', name: 'a', namespace: 'default' },
    reason: 'Painted',
    message: 'is red now',
    type: 'Normal',
    lastTimestamp: new Date().toISOString().replace(/\.\d+Z/, 'Z'),
    count: 1,
  };
  const { body } = await k.server.get(`${WIDGETS}/a`);
  const uid = (body['metadata'] as { uid: string }).uid;
  await k.ok('create -f -', { ...event, involvedObject: { ...event.involvedObject, uid } });
  assert.match(await k.ok('describe wd a'), /Color:\s+red[\s\S]*Painted[\s\S]*is red now/);
  assert.match(await k.ok('events --for widget/a'), /Painted/);
  assert.match(await k.ok('get events'), /Painted +widget\/a +is red now/);
  const explained = await k.ok('explain widget.spec');
  assert.match(explained, /What is wanted of the widget\.[\s\S]*color\t<string> -required-/);
  assert.match(await k.ok('explain node.spec.taints'), /effect\t<string>/);
  assert.match(await k.ok('api-resources'), /widgets +wd +example\.io\/v1 +true +Widget/);
  assert.match(await k.ok('api-versions'), /example\.io\/v1/);
});

test('kubectl edits, patches, scales, annotates, replaces', { skip }, async (t) => {
  const k = await withWidget(t);
  const editor = join(k.server.dir, 'editor.sh');
  writeFileSync(editor, '#!/bin/sh\nsed -i "s/color: red/color: green/" "$1"\n');
  chmodSync(editor, 0o755);
  const edited = await k.run(['edit', 'wd', 'a'], undefined, { EDITOR: editor });
  assert.equal(edited.code, 0, edited.err);
  assert.match(await k.ok('get wd a --no-headers'), /green/);
  await k.ok('patch wd a --type=json -p [{"op":"replace","path":"/spec/color","value":"red"}]');
  await k.ok(
    'patch wd a --subresource=status --type=merge -p {"status":{"conditions":[{"type":"Ready","status":"True"}]}}',
  );
  await k.ok('wait --for=condition=Ready wd/a --timeout=5s');
  await k.ok('wait --for=jsonpath={.spec.color}=red wd/a --timeout=5s');
  assert.match(await k.ok('scale wd/a --replicas=3'), /scaled/);
  assert.equal(await k.ok('get wd a -o jsonpath={.spec.replicas}'), '3');
  await k.ok('annotate wd a note=x');
  await k.ok('replace -f -', { ...BLUE, metadata: { name: 'a', namespace: 'default' } });
  assert.match(await k.ok('get wd a --no-headers'), /blue/);
  const typo = await k.run(
    ['apply', '-f', '-'],
    widget('a', { color: 'red', colour: 'red' }, { namespace: 'default' }),
  );
  assert.equal(typo.code, 1);
  assert.match(typo.err, /unknown field "spec\.colour"/);
});

test('kubectl deletes and waits, also for a namespace and for all of a kind', { skip }, async (t) => {
  const k = await withWidget(t);
  await k.ok('create ns away');
  await k.ok('create cm one --from-literal=a=b -n away');
  await k.ok('delete ns away --timeout=10s');
  await k.ok('delete wd a --timeout=5s');
  await k.server.post(WIDGETS, widget('b'));
  const waiting = k.ok('wait --for=delete wd/b --timeout=10s');
  await k.ok('delete wd --all');
  await waiting;
  await k.ok('delete crd widgets.example.io --timeout=10s');
  assert.equal((await k.server.get(`${CRDS}/widgets.example.io`)).status, 404);
});

test('kubectl makes what it sends as protobuf', { skip }, async (t) => {
  const k = await start(t);
  await k.ok('create namespace apart');
  await k.ok('create configmap c --from-literal=a=b -n apart');
  assert.equal(await k.ok('get cm c -n apart -o jsonpath={.data.a}'), 'b');
  await k.ok('create secret generic s --from-literal=user=me -n apart');
  assert.equal(
    await k.ok('get secret s -n apart -o jsonpath={.data.user}'),
    Buffer.from('me').toString('base64'),
  );
  await k.ok('create serviceaccount bot -n apart');
  assert.match(await k.ok('create token bot -n apart --duration=20m'), /^[\w-]+\.[\w-]+\.[\w-]+\s*$/);
  await k.ok('create role r --verb=get,list --resource=configmaps -n apart');
  await k.ok('create rolebinding r --role=r --serviceaccount=apart:bot -n apart');
  await k.ok('create clusterrole cr --verb=get --resource=nodes --resource-name=n1');
  await k.ok('create clusterrolebinding cr --clusterrole=cr --user=bob');
  await k.ok('create deployment d --image=x --replicas=2 -n apart');
  assert.match(await k.ok('get deploy -n apart --no-headers'), /^d +0\/2/);
});

test('kubectl asks who and what it may', { skip }, async (t) => {
  const k = await start(t);
  assert.match(await k.ok('auth whoami'), /kubernetes-admin/);
  assert.equal(await k.ok('auth can-i delete nodes'), 'yes\n');
  const no = await k.run(['auth', 'can-i', 'get', 'nodes', '--as=bob']);
  assert.deepEqual([no.code, no.out], [1, 'no\n']);
  assert.match(await k.ok('auth can-i --list'), /\*\.\* +\[\] +\[\] +\[\*\]/);
});

test('kubectl keeps Nodes: taint, cordon, label, describe, and approves certificates', {
  skip,
}, async (t) => {
  const k = await start(t);
  await k.ok('create -f -', { apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1' } });
  await k.ok('taint node n1 a=b:NoSchedule');
  await k.ok('cordon n1');
  await k.ok('label node n1 node-role.kubernetes.io/worker=');
  assert.match(
    await k.ok('get nodes'),
    /^NAME +STATUS +ROLES +AGE +VERSION\s+n1 +Unknown,SchedulingDisabled +worker/,
  );
  await k.ok('uncordon n1');
  await k.ok('taint node n1 a-');
  assert.match(await k.ok('describe node n1'), /Taints:\s+<none>/);
  await k.ok('drain n1 --ignore-daemonsets');
  assert.match(await k.ok('get csr'), /^$/);
  assert.match(await k.ok('version'), /Server Version: v1\.36/);
});
