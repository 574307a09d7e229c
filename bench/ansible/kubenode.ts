/** The content on hosts by KubeNode: a set for each component, all machines in one batch, as Ansible has them. */
import { readFile } from 'node:fs/promises';
import { MachineComponentSet } from '@kubenode/machine';
import { byHand } from './by-hand.ts';
import { applyManifests, type Manifest } from '../../demo/src/manifests.ts';
import { type Fleet, startFleet } from '../../test/real/fleet.ts';
import {
  changedFile,
  contentOf,
  type ContentFile,
  exampleOf,
  examplesUsed,
  exporter,
  files,
  packages,
} from './content.ts';
import { type Cost, type Costs, measure } from './measures.ts';

/** USER_HZ of Linux, by which /proc counts. */
const ticksPerSecond = 100;
/** As long as this the hosts are watched with nothing to do: six of the agent's full checks. Seconds. */
const idleSeconds = 60;
const components = [exporter, ...packages, ...files.map(({ component }) => component)];

/**
 * Makes new hosts and a control plane, brings the content there, leaves it alone for a while, and changes one file. As many hosts again,
 * that KubeNode is not told of, get the content by the bare commands.
 * @param nothingSeconds how long a run with nothing to do takes Ansible: what KubeNode spends in that time is compared with it
 * @returns `bare`: what the bare commands cost
 */
export async function byKubeNode(
  hostCount: number,
  nothingSeconds: number,
  progress: (line: string) => void,
): Promise<Costs & { readonly bare: Cost }> {
  const fleet = await startFleet({ plane: 'embedded', hosts: hostCount * 2, components: [...examplesUsed] });
  try {
    const hosts = fleet.lab.hosts.slice(0, hostCount);
    progress(`The bare commands, ${hostCount} hosts ...`);
    const bare = await byHand(fleet.lab.hosts.slice(hostCount), contentOf(fleet.supply.examples));
    const centre = (): Promise<number> => centreCpuSeconds(fleet);
    progress(`KubeNode, ${hostCount} hosts: agents ...`);
    const prepare = await measure(hosts, centre, async () => {
      for (const host of hosts) await fleet.import(host);
      await fleet.untilReady(hosts, 0);
    });
    progress(`KubeNode, ${hostCount} hosts: first time ...`);
    const first = await measure(hosts, centre, async () => {
      await applyManifests(fleet.client, manifests(fleet));
      await fleet.untilReady(hosts, components.length);
    });
    progress(`KubeNode, ${hostCount} hosts: nothing to do, ${idleSeconds} s ...`);
    const idle = await measure(hosts, centre, async () => {
      await new Promise((resolve) => setTimeout(resolve, idleSeconds * 1000));
    });
    progress(`KubeNode, ${hostCount} hosts: one file changed ...`);
    const change = await measure(hosts, centre, () => changeOne(fleet, hostCount));
    return {
      prepare,
      first,
      nothing: scaled(idle, nothingSeconds / idle.wall),
      change,
      bare,
    };
  } finally {
    await fleet.close();
  }
}

async function changeOne(fleet: Fleet, hostCount: number): Promise<void> {
  const { component } = changedFile;
  const revision = revisionOf(changedFile, 2);
  await applyManifests(fleet.client, [revision]);
  await fleet.client.patch(MachineComponentSet, component, {
    type: 'merge',
    body: { spec: { revision: revision.metadata.name } },
  });
  await fleet.until(`${revision.metadata.name} everywhere`, async () => {
    const set = await fleet.client.get(MachineComponentSet, component);
    const { currentRevision, ready } = set?.status ?? {};
    return currentRevision === revision.metadata.name && ready === hostCount;
  });
}

function manifests(fleet: Fleet): Manifest[] {
  const { components } = fleet.supply.examples;
  const revisions: Manifest[] = [
    exampleOf(components, exporter),
    ...packages.map((name) => packageOnly(exampleOf(components, name))),
    ...files.map((file) => revisionOf(file, 1)),
  ];
  return [...revisions, ...revisions.map(setOf)];
}

/** The package, without what the example has besides. */
function packageOnly({ apiVersion, kind, metadata, spec }: Manifest): Manifest {
  const { component, version, artifacts, versionCheck } = spec;
  return {
    apiVersion,
    kind,
    metadata,
    spec: { component, version, artifacts, versionCheck, disruption: 'None' },
  };
}

function revisionOf({ component, path, content }: ContentFile, version: number): Manifest {
  return {
    apiVersion: 'kubenode.io/v1alpha1',
    kind: 'MachineComponent',
    metadata: { name: `${component}-${version}` },
    spec: {
      component,
      version: String(version),
      files: [{ path, content, onChange: 'None' }],
      disruption: 'None',
    },
  };
}

function setOf({ metadata, spec }: Manifest): Manifest {
  const component = String(spec['component']);
  return {
    apiVersion: 'kubenode.io/v1alpha1',
    kind: 'MachineComponentSet',
    metadata: { name: component },
    spec: {
      component,
      revision: metadata.name,
      rollout: { batches: ['100%'], maxUnavailable: '100%' },
    },
  };
}

async function centreCpuSeconds(fleet: Fleet): Promise<number> {
  let sum = 0;
  for (const process of [fleet.plane.apiserver, fleet.operator]) {
    const stat = await readFile(`/proc/${process?.pid}/stat`, 'utf8');
    const [user = 0, system = 0] = stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .slice(11, 13)
      .map(Number);
    sum += (user + system) / ticksPerSecond;
  }
  return sum;
}

function scaled({ wall, hosts, centre }: Cost, by: number): Cost {
  return { wall: wall * by, hosts: hosts * by, centre: centre * by };
}
