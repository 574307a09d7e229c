/** What the machine operator does for people, on any control plane: the embedded one and the real one are held to the same stories. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Machine } from '@kubenode/machine';
import { CertificateSigningRequest, type Client, type Connection, Node } from '@kubenode/runtime';
import { budgetStories } from './budget.ts';
import { Cluster, eventually } from './cluster.ts';
import { componentStories } from './components.ts';
import { credentialStories } from './credential.ts';
import { drainStories } from './drain.ts';
import { gateStories } from './gates.ts';
import { mistakeStories } from './mistakes.ts';
import { refusedStories } from './refused.ts';
import { removalStories } from './removal.ts';

export interface ControlPlane {
  readonly connection: Connection;
  stop(): Promise<void>;
}

/** @param start gives a control plane of its own */
export function operatorStories(start: () => Promise<ControlPlane>): void {
  let plane: ControlPlane;
  let cluster: Cluster;
  const agents = new Map<string, Client>();
  const agent = (name: string): Client => {
    const client = agents.get(name);
    if (client === undefined) throw new Error(`${name} never joined`);
    return client;
  };

  before(async () => {
    plane = await start();
    cluster = new Cluster(plane.connection);
    await cluster.install();
    await cluster.startOperator();
  });
  after(async () => {
    await cluster.stop();
    for (const client of agents.values()) client.close();
    await plane.stop();
  });

  refusedStories(() => cluster.admin);

  describe('identities', () => {
    test('a host joins with a token: it gets the identity of its machine, and the Machine is made', async () => {
      const token = await cluster.token('aaaaaa');
      for (const name of ['n1', 'n2', 'n3'])
        agents.set(name, await cluster.join(token, name, { pool: 'web' }));
      const machine = await cluster.machine('n2');
      assert.deepEqual(machine.metadata.labels, { pool: 'web' });
      token.close();
    });

    test("the token of an import speaks for its machine only; another's name is denied and never signed", async () => {
      const token = await cluster.token('bbbbbb', 'n9');
      await assert.rejects(cluster.join(token, 'n8'), /denied: The token is for n9 only, not for n8/);
      const requests = await cluster.admin.list(CertificateSigningRequest);
      const refused = requests.items.find(({ metadata }) => metadata.name.startsWith('kubenode-agent-n8-'));
      assert.equal(refused?.status?.certificate, undefined);
      agents.set('n9', await cluster.join(token, 'n9'));
      token.close();
    });

    test('an agent renews its own identity, and gets no other', async () => {
      (await cluster.join(agent('n1'), 'n1')).close();
      await assert.rejects(
        cluster.join(agent('n1'), 'n2'),
        /denied: kubenode:agent:n1 may ask for its own name only/,
      );
    });

    test('a join of a name whose agent lives is denied', async () => {
      for (const name of ['n1', 'n2', 'n3']) cluster.runAgent(agent(name), name);
      await eventually('n1 is Ready', () => cluster.machine('n1'), isReady);
      const token = await cluster.token('cccccc');
      await assert.rejects(cluster.join(token, 'n1'), /denied: Machine n1 has an agent already/);
      token.close();
    });
  });

  componentStories(() => cluster);

  gateStories(() => cluster);

  mistakeStories(() => cluster);

  describe('a Node', () => {
    test('carries what its Machine declares, and no longer what it declared before', async () => {
      const taints = [{ key: 'kubenode.io/uninitialized', effect: 'NoExecute' as const }];
      await cluster.admin.create(Node, {
        metadata: { name: 'k1', labels: { 'by-hand': 'yes' } },
        spec: { taints },
      });
      const declare = (labels: Record<string, string>) =>
        cluster.admin.apply(
          Machine,
          {
            metadata: { name: 'n2' },
            spec: {
              nodeName: 'k1',
              node: { labels, taints: [{ key: 'gpu', effect: 'NoSchedule', propagation: 'Always' }] },
            },
          },
          { fieldManager: 'test', force: true },
        );
      await declare({ tier: 'gold', zone: 'a' });
      const first = await eventually(
        'labels are there',
        () => cluster.admin.get(Node, 'k1'),
        (node) => node?.metadata.labels?.['tier'] === 'gold',
      );
      assert.equal(first?.metadata.labels?.['kubenode.io/machine'], 'n2');
      await declare({ zone: 'a' });
      const node = await eventually(
        'one label is gone',
        () => cluster.admin.get(Node, 'k1'),
        (node) => node?.metadata.labels?.['tier'] === undefined,
      );
      assert.equal(node?.metadata.labels?.['zone'], 'a');
      assert.equal(node?.metadata.labels?.['by-hand'], 'yes');
      await eventually(
        'pods are let in',
        () => cluster.admin.get(Node, 'k1'),
        (node) =>
          node?.spec?.taints?.every((taint) => taint.key !== 'kubenode.io/uninitialized') === true &&
          node.spec.taints.some((taint) => taint.key === 'gpu'),
      );
    });
  });

  credentialStories(() => cluster, agent);

  removalStories(() => cluster, agent);

  describe('leave to drain and reboot', () => drainStories(() => cluster));

  describe('the disruption budget', () => budgetStories(() => cluster));
}

function isReady(machine: { status?: { conditions?: { type: string; status: string }[] } }): boolean {
  return machine.status?.conditions?.some((c) => c.type === 'Ready' && c.status === 'True') === true;
}
