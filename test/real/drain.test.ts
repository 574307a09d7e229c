/** Two Nodes are drained and rebooted for components that need it: what may not be moved is left, and nothing is done twice. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { cordonAnnotation } from '@kubenode/api';
import type { LabHost } from '@kubenode/lab';
import { Machine, MachineComponentSet, NodeDisruptionBudget } from '@kubenode/machine';
import { ConfigMap, defineKind, type KubeObject, Node, Pod } from '@kubenode/runtime';
import { applyManifests } from '../../demo/src/manifests.ts';
import { bootOf, bootsOf, image, killAgentAt, prepare, staticPods } from './boots.ts';
import { DisruptionWatch } from './disruption-watch.ts';
import { type Fleet, type PlaneKind, startFleet } from './fleet.ts';

const components = ['kubelet', 'containerd', 'runc', 'cni-plugins', 'sysctl'];
const drainSeconds = 20;
/** What everybody is given to see it and to act, on a machine that is busy. */
const slackSeconds = 20;
const rebootsMs = 240_000;
const PodDisruptionBudget = defineKind<KubeObject & { status?: Record<string, number> }>({
  group: 'policy',
  version: 'v1',
  kind: 'PodDisruptionBudget',
  plural: 'poddisruptionbudgets',
  namespaced: true,
});

for (const plane of ['embedded', 'kubernetes'] satisfies PlaneKind[]) {
  describe(`two Nodes of the ${plane} control plane`, () => {
    let fleet: Fleet;
    let hosts: readonly LabHost[];
    let forbidden: LabHost;
    let cordoned: LabHost;

    before(async () => {
      fleet = await startFleet({ plane, hosts: 2, kubelet: true, components });
      ({ hosts } = fleet.lab);
      [forbidden, cordoned] = hosts as [LabHost, LabHost];
      await setBudget({ drain: { timeout: `${drainSeconds}s` } });
      for (const host of hosts) await prepare(host);
      await fleet.applyComponents(components, ({ kind, spec }) => {
        if (kind !== 'MachineComponent' || spec.component !== 'kubelet') return;
        for (const file of spec['files'] as { path: string; content: string }[])
          file.content += `staticPodPath: ${staticPods}\n`;
      });
      await move('tuning', 1, 'Drain');
      await move('kernel', 1, 'None');
      await Promise.all(hosts.map((host) => fleet.import(host, { nodeName: host.name })));
      await fleet.untilReady(hosts, components.length + 2);
      for (const host of hosts) await untilPod(`beacon-${host.name}`, 'runs', (pod) => isReady(pod));
    });
    after(async () => fleet?.close());

    it('a drain that a PodDisruptionBudget forbids waits, says why, and is given up and uncordoned', async (t) => {
      await runPod('db', forbidden);
      await runPod('web', cordoned);
      await keep('db');
      await fleet.client.patch(Node, cordoned.name, {
        type: 'merge',
        body: { spec: { unschedulable: true } },
      });
      const db = (await pod('db'))?.status?.containerStatuses;
      await using watch = new DisruptionWatch(fleet.client);
      await move('tuning', 2, 'Drain');

      const held = /pod default\/db may not be evicted: .*disruption budget db /i;
      const draining = await watch.until(
        forbidden.name,
        'held up',
        ({ state, message }) => state === 'Draining' && held.test(message ?? ''),
        rebootsMs,
      );
      assert.deepEqual(await nodeOf(forbidden), { isCordoned: true, isOurs: true });
      const told = await why(forbidden);
      assert.match(told, /default\/db/);
      assert.match(told, /disruption budget db /i);
      t.diagnostic(`kubenode why ${forbidden.name}:\n${told}`);
      await fleet.operator.kill();
      await fleet.operator.start();

      const aborted = await watch.until(forbidden.name, 'given up', ({ state }) => state === 'Aborted');
      assert.equal(aborted.id, draining.id);
      assert.match(aborted.message ?? '', held);
      const took = (Date.parse(aborted.since) - Date.parse(draining.since)) / 1000;
      t.diagnostic(`given up after ${took} s, with the operator killed meanwhile: ${aborted.message}`);
      assert.ok(took >= drainSeconds && took <= drainSeconds + slackSeconds, `given up after ${took} s`);
      await fleet.until('the Node is put back to work', async () => {
        const { isCordoned, isOurs } = await nodeOf(forbidden);
        return !isCordoned && !isOurs && (await grants()).every(({ machine }) => machine !== forbidden.name);
      });
      assert.deepEqual((await pod('db'))?.status?.containerStatuses, db, 'the pod was left alone');
      assert.equal(await fileOf(forbidden, 'tuning'), '1');
    });

    it('the other is drained, and stays cordoned as a person had left it', async () => {
      await untilRuns([cordoned], { tuning: 2 });
      assert.equal(await pod('web'), undefined, 'its pod was evicted');
      await untilPutBack(forbidden);
      assert.deepEqual(await nodeOf(cordoned), { isCordoned: true, isOurs: false });
    });

    it('what is not wanted any more is not waited for', async () => {
      await move('tuning', 1, 'Drain');
      await untilRuns(hosts, { tuning: 1 });
      await untilPutBack();
      assert.deepEqual(await nodeOf(forbidden), { isCordoned: false, isOurs: false });
      assert.deepEqual(await nodeOf(cordoned), { isCordoned: true, isOurs: false });
    });

    it('a drain and a reboot that are wanted together are one drain and one reboot, whoever is killed', async (t) => {
      await fleet.client.delete(PodDisruptionBudget, { namespace: 'default', name: 'db' });
      const beacons = new Map<string, string>();
      for (const host of hosts) beacons.set(host.name, containerOf(await pod(`beacon-${host.name}`)));
      const bootsBefore = new Map<string, string>();
      for (const host of hosts) bootsBefore.set(host.name, await bootOf(host));
      await using watch = new DisruptionWatch(fleet.client);
      // Until both have asked on both machines nothing may begin.
      await setBudget({ drain: { timeout: `${drainSeconds}s` }, concurrent: { cluster: 0, perZone: 0 } });
      await move('kernel', 2, 'Reboot');
      await move('tuning', 3, 'Drain');
      await fleet.until(
        'both components ask on both machines',
        async () => {
          const machines = await Promise.all(hosts.map(({ name }) => fleet.client.get(Machine, name)));
          return machines.every((machine) => {
            const asks = machine?.status?.components?.flatMap(({ asks }) => asks ?? []).toSorted();
            return asks?.join() === 'Drain,Reboot' && machine?.status?.disruption?.state === 'Waiting';
          });
        },
        120_000,
        statuses,
      );
      const begun = performance.now();
      await setBudget({
        drain: { timeout: `${drainSeconds}s` },
        concurrent: { cluster: '10%', perZone: '25%' },
      });
      const [isKilled, isKilledLate] = await Promise.all([
        killAgentAt(forbidden, '/var/lib/kubenode/journal/kernel.json', '"reboot":{'),
        killAgentAt(cordoned, '/var/lib/kubenode/reboots.json', '"id"'),
        Promise.any(
          hosts.map(({ name }) =>
            watch.until(name, 'granted', ({ state }) => state === 'Granted', rebootsMs),
          ),
        ).then(async () => {
          await fleet.operator.kill();
          await fleet.operator.start();
        }),
      ]);
      assert.ok(isKilled, 'the agent was killed before the reboot');
      t.diagnostic(`the other agent was ${isKilledLate ? 'killed' : 'gone'} when the reboot was noted`);
      await untilRuns(hosts, { tuning: 3, kernel: 2 });
      await untilPutBack();
      t.diagnostic(`two reboots, one after the other: ${((performance.now() - begun) / 1000).toFixed(1)} s`);

      for (const host of hosts) {
        const boots = await bootsOf(host);
        assert.equal(boots.length, 2, `${host.name} booted: ${boots.join(', ')}`);
        const boot = await bootOf(host);
        assert.equal(boots.at(-1), boot);
        assert.notEqual(boot, bootsBefore.get(host.name));
        const node = await fleet.until(`Node ${host.name} is Ready with its new boot`, async () => {
          const found = await fleet.client.get(Node, host.name);
          const ready = found?.status?.conditions?.find(({ type }) => type === 'Ready');
          return found?.status?.nodeInfo?.bootID === boot && ready?.status === 'True' && found;
        });
        assert.equal(node.status?.nodeInfo?.bootID, boot);
        assert.equal((await fleet.client.get(Machine, host.name))?.status?.host?.bootID, boot);
        assert.deepEqual(watch.bootsOf(host.name), [bootsBefore.get(host.name), boot]);
        assert.equal(watch.drainsOf(host.name).length, 1, watch.story(host.name));
        await untilPod(
          `beacon-${host.name}`,
          'is back',
          (pod) => isReady(pod) && containerOf(pod) !== beacons.get(host.name),
        );
      }
      assert.equal(watch.mostAtOnce, 1, 'the budget gave leave to one machine at a time');
      assert.equal(await pod('db'), undefined, 'its pod was evicted');
      assert.deepEqual(await nodeOf(forbidden), { isCordoned: false, isOurs: false });
      assert.deepEqual(await nodeOf(cordoned), { isCordoned: true, isOurs: false });
    });

    async function setBudget(spec: object): Promise<void> {
      await fleet.client.apply(NodeDisruptionBudget, { metadata: { name: 'default' }, spec } as never, {
        fieldManager: 'test',
        force: true,
      });
    }

    /** The next revision of a component that is one file, on both machines at once. */
    async function move(component: string, version: number, disruption: string): Promise<void> {
      const revision = `${component}-${version}`;
      const files = [{ path: pathOf(component), content: String(version), onChange: 'None' }];
      const kubenode = { apiVersion: 'kubenode.io/v1alpha1' };
      await applyManifests(fleet.client, [
        {
          ...kubenode,
          kind: 'MachineComponent',
          metadata: { name: revision },
          spec: { component, version: String(version), files, disruption },
        },
        {
          ...kubenode,
          kind: 'MachineComponentSet',
          metadata: { name: component },
          spec: { component, revision, rollout: { batches: [2], maxUnavailable: 2 } },
        },
      ] as never);
    }

    async function untilRuns(on: readonly LabHost[], versions: Record<string, number>): Promise<void> {
      const wanted = Object.entries(versions).map(([name, version]) => `${name}-${version}`);
      await fleet.until(
        `${wanted.join(' and ')} on ${on.map(({ name }) => name).join(' and ')}`,
        async () => {
          const machines = await Promise.all(on.map(({ name }) => fleet.client.get(Machine, name)));
          return machines.every((machine) =>
            wanted.every((revision) =>
              machine?.status?.components?.some(
                ({ state, running }) => state === 'Ready' && running === revision,
              ),
            ),
          );
        },
        rebootsMs,
        statuses,
      );
      for (const host of on)
        for (const [component, version] of Object.entries(versions))
          assert.equal(await fileOf(host, component), String(version));
    }

    /** No leave is left (but one that was given up, of a machine that still waits), no grant, and no cordon of ours. */
    async function untilPutBack(stillWaits?: LabHost): Promise<void> {
      await fleet.until(
        'all leaves are given back',
        async () => {
          const { items } = await fleet.client.list(Machine);
          const isBack = items.every(({ metadata, status }) => {
            const state = status?.disruption?.state;
            return state === undefined || (state === 'Aborted' && metadata.name === stillWaits?.name);
          });
          const nodes = await Promise.all(hosts.map(nodeOf));
          return isBack && nodes.every(({ isOurs }) => !isOurs) && (await grants()).length === 0;
        },
        rebootsMs,
        statuses,
      );
    }

    async function grants() {
      return (await fleet.client.get(NodeDisruptionBudget, 'default'))?.status?.grants ?? [];
    }

    async function statuses(): Promise<unknown> {
      const { items } = await fleet.client.list(Machine);
      const { items: sets } = await fleet.client.list(MachineComponentSet);
      return {
        machines: items.map(({ metadata, status }) => ({
          name: metadata.name,
          disruption: status?.disruption,
          conditions: status?.conditions?.map(({ type, status: is, message }) => `${type}=${is} ${message}`),
          components: status?.components?.filter(({ name }) => ['tuning', 'kernel'].includes(name)),
        })),
        nodes: await Promise.all(hosts.map(nodeOf)),
        budget: (await fleet.client.get(NodeDisruptionBudget, 'default'))?.status,
        sets: sets
          .filter(({ metadata }) => ['tuning', 'kernel'].includes(metadata.name))
          .map(({ status }) => status),
      };
    }

    async function pod(name: string): Promise<Pod | undefined> {
      return await fleet.client.get(Pod, { namespace: 'default', name });
    }

    async function untilPod(name: string, what: string, is: (pod: Pod) => boolean): Promise<void> {
      await fleet.until(
        `pod ${name} ${what}`,
        async () => {
          const found = await pod(name);
          return found !== undefined && is(found);
        },
        120_000,
        async () => (await pod(name))?.status,
      );
    }

    /** A pod that somebody would make anew, bound to a Node. */
    async function runPod(name: string, { name: nodeName }: LabHost): Promise<void> {
      const owner = await fleet.client.create(ConfigMap, {
        metadata: { name: `owner-of-${name}`, namespace: 'default' },
      });
      const { uid = '', name: ownerName } = owner.metadata;
      const reference = { apiVersion: 'v1', kind: 'ConfigMap', name: ownerName, uid, controller: true };
      await fleet.client.create(Pod, {
        metadata: {
          name,
          namespace: 'default',
          labels: { app: name },
          ownerReferences: [reference],
        },
        spec: {
          nodeName,
          terminationGracePeriodSeconds: 2,
          containers: [{ name: 'pause', image }],
          tolerations: [{ operator: 'Exists' }],
        },
      });
      await untilPod(name, 'runs', isReady);
    }

    /** A PodDisruptionBudget that needs every pod of this app. */
    async function keep(app: string): Promise<void> {
      await fleet.client.create(PodDisruptionBudget, {
        metadata: { name: app, namespace: 'default' },
        spec: { minAvailable: 1, selector: { matchLabels: { app } } },
      } as never);
      if (plane === 'embedded') return;
      // Kubernetes' own controller keeps its status; the embedded API server reckons when it is asked.
      await fleet.until(`PodDisruptionBudget ${app} counts its pod`, async () => {
        const budget = await fleet.client.get(PodDisruptionBudget, { namespace: 'default', name: app });
        return budget?.status?.['currentHealthy'] === 1 && budget.status['disruptionsAllowed'] === 0;
      });
    }

    async function nodeOf({ name }: LabHost): Promise<{ isCordoned: boolean; isOurs: boolean }> {
      const { metadata, spec } = (await fleet.client.get(Node, name)) ?? {};
      return {
        isCordoned: spec?.unschedulable === true,
        isOurs: metadata?.annotations?.[cordonAnnotation] !== undefined,
      };
    }

    async function why({ name }: LabHost): Promise<string> {
      const program = join(import.meta.dirname, '../../packages/cli/src/main.ts');
      const args = ['--disable-warning=ExperimentalWarning', program, 'why', name];
      return await promisify(execFile)(process.execPath, [
        ...args,
        '--kubeconfig',
        fleet.plane.kubeconfig,
      ]).then(
        ({ stdout }) => stdout,
        // Status 1: it is not well yet.
        (error: { stdout: string }) => error.stdout,
      );
    }
  });
}

const pathOf = (component: string): string => `/etc/lab/${component}`;

async function fileOf(host: LabHost, component: string): Promise<string> {
  return await readFile(join(host.rootfs, pathOf(component)), 'utf8');
}

function isReady({ status }: Pod): boolean {
  return (
    status?.containerStatuses?.every(({ ready }) => ready) === true && status.containerStatuses.length > 0
  );
}

function containerOf(pod: Pod | undefined): string {
  return pod?.status?.containerStatuses?.[0]?.containerID ?? '';
}
