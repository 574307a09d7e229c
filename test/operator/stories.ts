/** What the machine operator does for people, on any control plane: the embedded one and the real one are held to the same stories. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Machine, MachineComponent, MachineComponentSet } from '@kubenode/machine';
import {
  ApiError,
  CertificateSigningRequest,
  type Client,
  type Connection,
  CustomResourceDefinition,
  Event,
  Lease,
  Node,
  Secret,
} from '@kubenode/runtime';
import { budgetStories } from './budget-stories.ts';
import { Cluster, eventually } from './cluster.ts';
import { drainStories } from './drain-stories.ts';
import { gateStories } from './gates.ts';
import { refusedStories } from './refused.ts';

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

  describe('components', () => {
    test('get to all machines, batch by batch', async () => {
      await cluster.revision('runc-1');
      await cluster.set('runc', { revision: 'runc-1', rollout: { batches: [1, 5], maxUnavailable: 1 } });
      const { status } = await cluster.rolledOut('runc');
      assert.deepEqual([status?.machines, status?.ready, status?.currentRevision], [3, 3, 'runc-1']);
      const batches = await Promise.all(
        ['n1', 'n2', 'n3'].map(async (n) => (await cluster.machine(n)).spec.components?.[0]?.batch),
      );
      assert.deepEqual(
        batches.toSorted((a = 0, b = 0) => a - b),
        [1, 2, 2],
      );
    });

    test('a machine is written once for several sets, and stays small', async () => {
      for (const name of ['cni', 'chrony', 'containerd']) {
        await cluster.revision(`${name}-1`);
        await cluster.set(name, {
          revision: `${name}-1`,
          rollout: { batches: ['100%'], maxUnavailable: '100%' },
        });
      }
      for (const name of ['cni', 'chrony', 'containerd']) await cluster.rolledOut(name);
      const machine = await cluster.machine('n1');
      assert.equal(machine.spec.components?.length, 4);
      assert.ok(JSON.stringify(machine).length < 8192);
    });

    test('a template is made a revision', async () => {
      await cluster.set('rsyslog', {
        template: {
          spec: {
            component: 'rsyslog',
            version: '8~x',
            files: [{ path: '/etc/rsyslog.conf', content: 'a' }],
          } as never,
        },
      });
      const { status } = await cluster.rolledOut('rsyslog');
      assert.match(status?.currentRevision ?? '', /^rsyslog-8-x-[0-9a-f]{10}$/);
    });

    test('a new revision, with the operator ended and started in the middle', async () => {
      await cluster.revision('runc-2');
      await cluster.set('runc', { revision: 'runc-2', rollout: { batches: [1], maxUnavailable: 1 } });
      await cluster.stopOperator();
      await cluster.startOperator();
      const { status } = await cluster.rolledOut('runc');
      assert.equal(status?.currentRevision, 'runc-2');
      assert.equal(status?.batch?.number, 3);
    });

    test('two sets of the same priority: both say so, nothing moves', async () => {
      await cluster.admin.apply(
        MachineComponentSet,
        { metadata: { name: 'other' }, spec: { component: 'runc', revision: 'runc-1' } },
        { fieldManager: 'test' },
      );
      await eventually(
        'conflict',
        () => cluster.admin.get(MachineComponentSet, 'runc'),
        (set) =>
          set?.status?.conditions?.some((c) => c.type === 'Conflicted' && c.status === 'True') === true,
      );
      assert.equal(
        (await cluster.machine('n1')).spec.components?.find((c) => c.name === 'runc')?.revision,
        'runc-2',
      );
      await cluster.admin.delete(MachineComponentSet, 'other');
      await cluster.rolledOut('runc');
    });
  });

  gateStories(() => cluster);

  describe("a GitOps tool's mistakes change nothing on any host", () => {
    const entries = async (): Promise<string> =>
      JSON.stringify(
        await Promise.all(['n1', 'n2', 'n3'].map(async (n) => (await cluster.machine(n)).spec.components)),
      );

    test('a revision in use is deleted: it stays, and says why', async () => {
      const was = await entries();
      await cluster.admin.delete(MachineComponent, 'runc-2');
      const events = await eventually(
        'an event tells',
        () => cluster.admin.list(Event),
        ({ items }) =>
          items.some((event) => event.reason === 'InUse' && event.involvedObject.name === 'runc-2'),
      );
      assert.match(
        events.items.find((event) => event.reason === 'InUse')?.message ?? '',
        /Kept until no Machine names it/,
      );
      assert.notEqual(await cluster.admin.get(MachineComponent, 'runc-2'), undefined);
      assert.equal(await entries(), was);
    });

    test('a set is deleted, a selector mistyped, labels wiped', async () => {
      const was = await entries();
      await cluster.admin.delete(MachineComponentSet, 'chrony');
      await cluster.set('cni', { revision: 'cni-1', selector: { matchLabels: { pool: 'wbe' } } });
      const none = await cluster.rolledOut('cni');
      assert.equal(none.status?.conditions?.find((c) => c.type === 'Ready')?.reason, 'NoMachines');
      const unlabelled = { type: 'merge', body: { metadata: { labels: null } } } as const;
      await cluster.admin.patch(Machine, 'n1', unlabelled);
      await cluster.set('cni', { revision: 'cni-1', selector: { matchLabels: { pool: 'web' } } });
      await eventually(
        'n2 and n3 are selected',
        () => cluster.admin.get(MachineComponentSet, 'cni'),
        (set) => set?.status?.machines === 2,
      );
      assert.equal(await entries(), was);
    });

    test('a Machine is deleted with policy Retain: it goes, and its host is told nothing', async () => {
      await cluster.admin.delete(Machine, 'n3');
      await eventually(
        'n3 is gone',
        () => cluster.admin.get(Machine, 'n3'),
        (machine) => machine === undefined,
      );
      assert.notEqual(
        await cluster.admin.get(Lease, { namespace: 'kubenode-system', name: 'n3' }),
        undefined,
      );
    });
  });

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

  describe("with one host's credential, each is refused", () => {
    const merge = (body: object) => ({ type: 'merge', body }) as const;
    const status = { subresource: 'status' } as const;
    const tries: [string, (own: Client) => Promise<unknown>, RegExp][] = [
      [
        "another Machine's status",
        (own) => own.patch(Machine, 'n1', merge({ status: { summary: '0/0' } }), status),
        /its own Machine only/,
      ],
      [
        "another Machine's spec",
        (own) => own.patch(Machine, 'n1', merge({ spec: { paused: true } })),
        /forbidden|Forbidden/,
      ],
      [
        'its own spec',
        (own) => own.patch(Machine, 'n2', merge({ spec: { paused: true } })),
        /forbidden|Forbidden/,
      ],
      [
        'its own labels',
        (own) => own.patch(Machine, 'n2', merge({ metadata: { labels: { pool: 'x' } } })),
        /forbidden|Forbidden/,
      ],
      [
        'its own phase',
        (own) => own.patch(Machine, 'n2', merge({ status: { phase: 'Pending' } }), status),
        /written by the Machine controller/,
      ],
      [
        'leave for itself to disturb the host',
        (own) =>
          own.patch(
            Machine,
            'n2',
            merge({
              status: {
                disruption: { kind: 'Reboot', state: 'Granted', id: 'x', since: '2026-01-01T00:00:00Z' },
              },
            }),
            status,
          ),
        /disruption by the disruption controller/,
      ],
      [
        'its own Ready',
        (own) =>
          own.apply(
            Machine,
            {
              metadata: { name: 'n2' },
              status: {
                conditions: [
                  {
                    type: 'Ready',
                    status: 'False',
                    reason: 'X',
                    message: '',
                    lastTransitionTime: '2026-01-01T00:00:00Z',
                  },
                ],
              },
            },
            { fieldManager: 'x', force: true, ...status },
          ),
        /AgentReady and ComponentsReady only/,
      ],
      [
        'a new Machine',
        (own) =>
          own.create(Machine, {
            metadata: { name: 'nx' },
            spec: { deletionPolicy: 'Retain', paused: false },
          }),
        /forbidden|Forbidden/,
      ],
      ['delete its Machine', (own) => own.delete(Machine, 'n2'), /forbidden|Forbidden/],
      ['delete a revision', (own) => own.delete(MachineComponent, 'runc-2'), /forbidden|Forbidden/],
      [
        "another Node's conditions",
        (own) => own.patch(Node, 'k2', merge({ status: { conditions: [] } }), status),
        /whose label kubenode.io\/machine names its machine/,
      ],
      [
        "its Node's labels",
        (own) => own.patch(Node, 'k1', merge({ metadata: { labels: { a: 'b' } } })),
        /forbidden|Forbidden/,
      ],
      [
        "its Node's labels, through status",
        (own) => own.patch(Node, 'k1', merge({ metadata: { labels: { a: 'b' } } }), status),
        /labels, annotations or other metadata/,
      ],
      [
        "its Node's capacity",
        (own) => own.patch(Node, 'k1', merge({ status: { capacity: { cpu: '64' } } }), status),
        /neither addresses nor capacity/,
      ],
      [
        "its Node's addresses",
        (own) =>
          own.patch(
            Node,
            'k1',
            merge({ status: { addresses: [{ type: 'InternalIP', address: '10.9.9.9' }] } }),
            status,
          ),
        /neither addresses nor capacity/,
      ],
      [
        "the kubelet's conditions",
        (own) =>
          own.patch(
            Node,
            'k1',
            { type: 'strategic', body: { status: { conditions: [{ type: 'Ready', status: 'True' }] } } },
            status,
          ),
        /belong to the kubelet/,
      ],
      [
        "another's Lease",
        (own) =>
          own.patch(
            Lease,
            { namespace: 'kubenode-system', name: 'n1' },
            merge({ spec: { holderIdentity: 'x' } }),
          ),
        /its own Lease only/,
      ],
      [
        'delete its Lease',
        (own) => own.delete(Lease, { namespace: 'kubenode-system', name: 'n2' }),
        /forbidden|Forbidden/,
      ],
      [
        'read a Secret',
        (own) => own.get(Secret, { namespace: 'kube-system', name: 'bootstrap-token-aaaaaa' }),
        /forbidden|Forbidden/,
      ],
      [
        'approve a certificate',
        async (own) => {
          const { items } = await cluster.admin.list(CertificateSigningRequest);
          const [csr] = items;
          if (csr === undefined) throw new Error('there is no request');
          await own.update(CertificateSigningRequest, csr, { subresource: 'approval' });
        },
        /forbidden|Forbidden/,
      ],
      [
        'an event about another machine',
        (own) =>
          own.create(Event, {
            metadata: { name: 'x', namespace: 'default' },
            involvedObject: { apiVersion: 'kubenode.io/v1alpha1', kind: 'Machine', name: 'n1' },
            reason: 'X',
            message: 'x',
            type: 'Normal',
          }),
        /its own Machine only/,
      ],
    ];

    before(async () => {
      await cluster.admin.create(Node, { metadata: { name: 'k2' } });
      // The policies are enforced a moment after they are made.
      await eventually(
        'policies are enforced',
        () =>
          agent('n2')
            .patch(Machine, 'n1', merge({ status: { summary: '0/0' } }), { ...status, dryRun: true })
            .then(
              () => false,
              () => true,
            ),
        (refused) => refused,
      );
    });
    for (const [what, attempt, message] of tries) {
      test(what, async () => {
        await assert.rejects(attempt(agent('n2')), (error: unknown) => {
          assert.ok(error instanceof ApiError, String(error));
          assert.equal(error.status, 403, error.message);
          assert.match(error.message, message);
          return true;
        });
      });
    }

    test("its Node's taints, through status: the server takes no spec there", async () => {
      const taints = async () => JSON.stringify((await cluster.admin.get(Node, 'k1'))?.spec?.taints);
      const was = await taints();
      await agent('n2')
        .patch(Node, 'k1', merge({ spec: { taints: [] } }), status)
        .catch((error: unknown) => assert.ok(error instanceof ApiError && error.status === 403));
      assert.equal(await taints(), was);
    });

    test('and what is its own it may do', async () => {
      const own = agent('n2');
      await own.patch(
        Node,
        'k1',
        {
          type: 'strategic',
          body: {
            status: {
              conditions: [{ type: 'KernelDeadlock', status: 'False', reason: 'Well', message: '' }],
            },
          },
        },
        status,
      );
      await own.patch(
        Lease,
        { namespace: 'kubenode-system', name: 'n2' },
        merge({ spec: { holderIdentity: 'n2' } }),
      );
      await own.create(Event, {
        metadata: { name: 'own', namespace: 'default' },
        involvedObject: { apiVersion: 'kubenode.io/v1alpha1', kind: 'Machine', name: 'n2' },
        reason: 'X',
        message: 'x',
        type: 'Normal',
      });
    });
  });

  describe('the definitions are deleted and applied again', () => {
    test('no agent is told to remove anything, whatever policies say, and all goes on afterwards', async () => {
      await cluster.set('containerd', { revision: 'containerd-1', removal: 'Remove' });
      await cluster.admin.patch(Machine, 'n1', {
        type: 'merge',
        body: { spec: { deletionPolicy: 'Delete' } },
      });
      await eventually(
        'the set is held',
        () => cluster.admin.get(MachineComponentSet, 'containerd'),
        (set) => set?.metadata.finalizers?.length === 1,
      );
      const plurals = ['machines', 'machinecomponentsets', 'machinecomponents', 'machineimports'];
      for (const plural of plurals)
        await cluster.admin.delete(CustomResourceDefinition, `${plural}.kubenode.io`);
      for (const plural of plurals) {
        await eventually(
          `${plural} are gone`,
          () => cluster.admin.get(CustomResourceDefinition, `${plural}.kubenode.io`),
          (definition) => definition === undefined,
        );
      }
      assert.deepEqual([...cluster.toldToRemove], []);
      await cluster.install();
      for (const name of ['runc-2', 'containerd-1']) await cluster.revision(name);
      const machine = {
        metadata: { name: 'n1' },
        spec: { deletionPolicy: 'Retain', paused: false },
      } as const;
      await cluster.admin.create(Machine, machine);
      await cluster.admin.create(Machine, {
        ...machine,
        metadata: { name: 'n2' },
        spec: { ...machine.spec, nodeName: 'k1' },
      });
      await cluster.set('runc', { revision: 'runc-2' });
      await cluster.set('containerd', { revision: 'containerd-1' });
      for (const name of ['runc', 'containerd']) {
        const found = await eventually(
          `${name} is on both again`,
          () => cluster.admin.get(MachineComponentSet, name),
          (set) => set?.status?.ready === 2,
        );
        assert.equal(found?.status?.machines, 2);
      }
      assert.deepEqual([...cluster.toldToRemove], []);
    });
  });

  describe('removal, where it was asked for', () => {
    test('a set deleted with removal: Remove cleans its machines and goes', async () => {
      await cluster.set('containerd', { revision: 'containerd-1', removal: 'Remove' });
      await cluster.rolledOut('containerd');
      await eventually(
        'it is held',
        () => cluster.admin.get(MachineComponentSet, 'containerd'),
        (set) => set?.metadata.finalizers?.length === 1,
      );
      await cluster.admin.delete(MachineComponentSet, 'containerd');
      await eventually(
        'the set is gone',
        () => cluster.admin.get(MachineComponentSet, 'containerd'),
        (set) => set === undefined,
      );
      for (const name of ['n1', 'n2']) {
        const { spec, status: told } = await cluster.machine(name);
        assert.equal(
          spec.components?.some((entry) => entry.name === 'containerd'),
          false,
        );
        assert.equal(
          told?.components?.some((entry) => entry.name === 'containerd'),
          false,
        );
      }
    });

    test('a Machine deleted with policy Delete has its host cleaned, its agent told to leave, and goes', async () => {
      await cluster.admin.patch(Machine, 'n2', {
        type: 'merge',
        body: { spec: { deletionPolicy: 'Delete' } },
      });
      await cluster.admin.delete(Machine, 'n2');
      const told = await eventually(
        'the agent is told',
        () => cluster.machine('n2'),
        (machine) =>
          machine.status?.conditions?.some((c) => c.type === 'Deleting' && c.reason === 'AgentLeaves') ===
          true,
      );
      assert.deepEqual(told.status?.components, []);
      await agent('n2').apply(
        Machine,
        {
          metadata: { name: 'n2' },
          status: {
            conditions: [
              {
                type: 'AgentReady',
                status: 'False',
                reason: 'Left',
                message: '',
                lastTransitionTime: '2026-01-01T00:00:00Z',
              },
            ],
          },
        },
        { fieldManager: 'kubenode-agent', subresource: 'status' },
      );
      await eventually(
        'n2 is gone',
        () => cluster.admin.get(Machine, 'n2'),
        (machine) => machine === undefined,
      );
      const node = await cluster.admin.get(Node, 'k1');
      assert.deepEqual(node?.metadata.labels, { 'by-hand': 'yes' });
      assert.equal(await cluster.admin.get(Lease, { namespace: 'kubenode-system', name: 'n2' }), undefined);
    });
  });

  describe('leave to drain and reboot', () => drainStories(() => cluster));

  describe('the disruption budget', () => budgetStories(() => cluster));
}

function isReady(machine: { status?: { conditions?: { type: string; status: string }[] } }): boolean {
  return machine.status?.conditions?.some((c) => c.type === 'Ready' && c.status === 'True') === true;
}
