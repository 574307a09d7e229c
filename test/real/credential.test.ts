/** A host is stolen, with its agent's key and certificate: whoever has them can harm this one machine's status, and nothing else. */
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { agentGroup, agentUser } from '@kubenode/api';
import { Machine, MachineComponent } from '@kubenode/machine';
import {
  ApiError,
  CertificateSigningRequest,
  type Client,
  createClient,
  Event,
  Lease,
  microTimestamp,
  Node,
  staticCredentials,
} from '@kubenode/runtime';
import { enrol } from '../../packages/agent/src/identity/enrol.ts';
import {
  apiServerClient,
  condition,
  event,
  merge,
  requestFor,
  revision,
  status,
  strategic,
  system,
  tries,
} from './credential-tries.ts';
import { type Fleet, type PlaneKind, startFleet } from './fleet.ts';

for (const plane of ['kubernetes', 'embedded'] satisfies PlaneKind[]) {
  describe(`with the credential of one host, against the ${plane === 'kubernetes' ? 'real' : 'embedded'} API server`, () => {
    let fleet: Fleet;
    let thief: Client;

    before(async () => {
      fleet = await startFleet({ plane, hosts: 1, components: [] });
      const admin = fleet.client;
      await admin.create(MachineComponent, { metadata: { name: 'tool-1' }, spec: revision });
      for (const [name, labels] of Object.entries(nodes)) await makeNode(admin, name, labels);
      await admin.create(Machine, {
        metadata: { name: 'h2' },
        spec: { deletionPolicy: 'Retain', paused: false, nodeName: 'n2' },
      });
      await admin.create(Event, event('witness', 'h2'));
      await admin.create(Lease, {
        metadata: { namespace: system, name: 'h2' },
        spec: { holderIdentity: 'h2' },
      });
      await admin.create(CertificateSigningRequest, {
        metadata: { name: 'waiting' },
        spec: {
          request: requestFor('somebody', 'else'),
          signerName: apiServerClient,
          usages: ['client auth', 'digital signature'],
        },
      });
      const host = fleet.host('h1');
      await fleet.import(host, { nodeName: 'n1' });
      await fleet.until('the agent of h1 reports', async () =>
        (await admin.get(Machine, 'h1'))?.status?.conditions?.some(
          (found) => found.type === 'AgentReady' && found.status === 'True',
        ),
      );
      thief = createClient({
        server: fleet.plane.server,
        ca: fleet.plane.ca,
        credentials: staticCredentials({
          cert: await stolen(fleet, 'agent.crt'),
          key: await stolen(fleet, 'agent.key'),
        }),
      });
    });
    after(async () => {
      thief?.close();
      await fleet?.close();
    });

    test('each of these is refused, and nothing of it happens', async (t) => {
      const was = await pictureOf(fleet.client);
      for (const [what, attempt] of Object.entries(tries)) {
        await t.test(what, async () => {
          await assert.rejects(attempt(thief), (error: unknown) => {
            assert.ok(error instanceof ApiError, String(error));
            assert.equal(error.status, 403, error.message);
            return true;
          });
        });
      }
      assert.deepEqual(await pictureOf(fleet.client), was);
      t.diagnostic(`${Object.keys(tries).length} attempts refused by the ${plane} API server`);
    });

    test("its Node's taints through status: the server takes no spec there", async () => {
      await thief
        .patch(Node, 'n1', merge({ spec: { taints: [] } }), status)
        .catch((error: unknown) => assert.ok(error instanceof ApiError && error.status === 403));
      const taints = (await fleet.client.get(Node, 'n1'))?.spec?.taints ?? [];
      assert.ok(taints.some(({ key }) => key === 'dedicated'));
    });

    test("a certificate in another machine's name is denied and never signed", async () => {
      const name = 'kubenode-agent-h2-stolen';
      await thief.create(CertificateSigningRequest, {
        metadata: { name },
        spec: {
          request: requestFor(agentUser('h2'), agentGroup),
          signerName: apiServerClient,
          usages: ['client auth', 'digital signature'],
        },
      });
      await thief
        .create(CertificateSigningRequest, {
          metadata: { name: 'as-admin' },
          spec: {
            request: requestFor('admin', 'system:masters'),
            signerName: apiServerClient,
            usages: ['client auth', 'digital signature'],
          },
        })
        .catch((error: unknown) => assert.ok(error instanceof ApiError && error.status === 403));
      const denied = await fleet.until('the request is denied', async () => {
        const found = await fleet.client.get(CertificateSigningRequest, name);
        return found?.status?.conditions?.find(({ type }) => type === 'Denied');
      });
      assert.match(denied.message ?? '', /may ask for its own name only, not for h2/);
      // A request in its own name, made later, is signed: the signer had its turn, and left the others alone.
      const own = await enrol(
        thief,
        { machine: 'h1', key: generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey },
        { now: Date.now, sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)) },
        AbortSignal.timeout(30_000),
      );
      assert.match(own, /BEGIN CERTIFICATE/);
      for (const request of [name, 'as-admin', 'waiting']) {
        const found = await fleet.client.get(CertificateSigningRequest, request);
        assert.equal(found?.status?.certificate, undefined, `${request} was signed`);
        assert.ok(!found?.status?.conditions?.some(({ type }) => type === 'Approved'), request);
      }
    });

    test('what is its own it may do', async () => {
      const machine = await thief.get(Machine, 'h1');
      const ready = machine?.status?.conditions?.find(({ type }) => type === 'AgentReady');
      assert.ok(ready);
      await thief.apply(
        Machine,
        { metadata: { name: 'h1' }, status: { summary: '0/0', conditions: [ready] } },
        { ...status, fieldManager: 'kubenode-agent', force: true },
      );
      assert.ok(await thief.get(MachineComponent, 'tool-1'));
      await thief.patch(
        Lease,
        { namespace: system, name: 'h1' },
        merge({ spec: { renewTime: microTimestamp(Date.now()) } }),
      );
      await thief.patch(Node, 'n1', strategic(condition('KernelDeadlock')), status);
      const node = await fleet.client.get(Node, 'n1');
      assert.ok(node?.status?.conditions?.some(({ type }) => type === 'KernelDeadlock'));
      await thief.create(Event, event('own', 'h1'));
    });
  });
}

/** n1 and n2 are Nodes of machines; n3 is nobody's. */
const nodes = {
  n1: { 'kubenode.io/machine': 'h1' },
  n2: { 'kubenode.io/machine': 'h2' },
  n3: {},
};

async function makeNode(admin: Client, name: string, labels: Record<string, string>): Promise<void> {
  await admin.create(Node, {
    metadata: { name, labels: { ...labels, pool: 'web' } },
    spec: { taints: [{ key: 'dedicated', value: 'web', effect: 'NoSchedule' }] },
  });
  await admin.patch(
    Node,
    name,
    merge({
      status: {
        addresses: [{ type: 'InternalIP', address: '10.0.0.1' }],
        capacity: { cpu: '4', memory: '8Gi' },
      },
    }),
    status,
  );
}

/** All that a thief would like to have changed, without what the living system writes meanwhile. */
async function pictureOf(admin: Client): Promise<unknown> {
  const machines = (await admin.list(Machine)).items.map(({ metadata: { name, labels, uid }, spec }) => ({
    name,
    labels,
    uid,
    spec,
  }));
  const found = (await admin.list(Node)).items.map(({ metadata, spec, status: told }) => ({
    name: metadata.name,
    labels: metadata.labels,
    taints: spec?.taints?.filter(({ key }) => key === 'dedicated'),
    addresses: told?.addresses,
    capacity: told?.capacity,
  }));
  const other = await admin.get(Machine, 'h2');
  const lease = await admin.get(Lease, { namespace: system, name: 'h2' });
  const request = await admin.get(CertificateSigningRequest, 'waiting');
  return {
    machines,
    found,
    status: other?.status,
    revisions: (await admin.list(MachineComponent)).items.map(({ metadata, spec }) => ({
      name: metadata.name,
      labels: metadata.labels,
      spec,
    })),
    lease: lease?.spec,
    request: request?.status,
    requests: (await admin.get(CertificateSigningRequest, 'as-kubelet'))?.metadata.name,
  };
}

async function stolen(fleet: Fleet, file: string): Promise<string> {
  return (await fleet.host('h1').exec(['cat', `/etc/kubenode/pki/${file}`])).stdout;
}
