/** What the credential of one host may do and, above all, may not. */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { Machine, MachineComponent } from '@kubenode/machine';
import {
  ApiError,
  CertificateSigningRequest,
  type Client,
  Event,
  Lease,
  Node,
  Secret,
} from '@kubenode/runtime';
import { type Cluster, eventually } from './cluster.ts';

export function credentialStories(cluster: () => Cluster, agent: (name: string) => Client): void {
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
          const { items } = await cluster().admin.list(CertificateSigningRequest);
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
      await cluster().admin.create(Node, { metadata: { name: 'k2' } });
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
      const taints = async () => JSON.stringify((await cluster().admin.get(Node, 'k1'))?.spec?.taints);
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
}
