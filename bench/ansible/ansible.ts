/** The content on hosts by Ansible. */
import { copyFile, mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import {
  createLab,
  digestOfFile,
  downloadDebs,
  type FileServer,
  type Lab,
  type LabHost,
  type LoadedExamples,
  requirePrograms,
  runMeasured,
  supplyExamples,
} from '@kubenode/lab';
import { changedFile, type Content, contentOf, examplesUsed, files } from './content.ts';
import { type Cost, type Costs, hostsCpuSeconds, measure, untilQuiet } from './measures.ts';
import { writePlaybook } from './playbook.ts';

/** What Ansible's modules need on a Debian host. */
const onHosts = ['python3-minimal', 'python3-apt'] as const;

/** Every task that changed something or nothing at all, summed over the hosts. */
interface Recap {
  readonly changed: number;
  readonly failed: number;
}

/** Makes new hosts, brings the content there by Ansible, once more, and with one file changed; takes the hosts down again. */
export async function byAnsible(hostCount: number, progress: (line: string) => void): Promise<Costs> {
  await requirePrograms([['ansible-playbook', 'ansible-core']], 'what KubeNode is compared with', progress);
  const dir = await mkdtemp(join(tmpdir(), 'kubenode-bench-'));
  const lab = await createLab({ dir: join(dir, 'lab'), hosts: hostCount, progress });
  try {
    const supply = await supplyExamples({
      dir: join(dir, 'supply'),
      address: lab.address,
      only: examplesUsed,
      progress,
    });
    try {
      const content = contentOf(supply.examples);
      await servePackages(supply.fileServer, supply.examples, content, lab);
      const python = await downloadDebs(lab.host('h1'), onHosts);
      progress(`Installing ${onHosts.join(' and ')} on ${hostCount} hosts ...`);
      const prepare = await measure(
        lab.hosts,
        async () => 0,
        async () => {
          await Promise.all(lab.hosts.map((host) => installPython(host, python)));
        },
      );
      const play = async (
        which: string,
        changed: readonly (typeof changedFile)[],
        expected: 'all' | number,
      ) => {
        progress(`Ansible, ${hostCount} hosts: ${which} ...`);
        return await playbook(join(dir, which.replaceAll(' ', '-')), lab, content, changed, expected);
      };
      const after = files.map((file) => (file.component === changedFile.component ? changedFile : file));
      return {
        prepare,
        first: await play('first time', files, 'all'),
        nothing: await play('nothing to do', files, 0),
        change: await play('one file changed', after, hostCount),
      };
    } finally {
      await supply.close();
    }
  } finally {
    await lab.close();
    await rm(dir, { recursive: true, force: true });
  }
}

/** Runs the playbook and checks that it did what it was to do: a fast run that failed, or changed nothing, is no figure. */
async function playbook(
  folder: string,
  lab: Lab,
  content: Content,
  changed: typeof files,
  expected: 'all' | number,
): Promise<Cost> {
  await writePlaybook(folder, lab, content, changed);
  await mkdir(join(folder, 'home'));
  await untilQuiet(lab.hosts);
  const before = await hostsCpuSeconds(lab.hosts);
  const { stdout, wallSeconds, cpuSeconds } = await runMeasured(['ansible-playbook', 'site.yml'], {
    cwd: folder,
    env: { HOME: join(folder, 'home'), LANG: 'C.UTF-8', LC_ALL: 'C.UTF-8', ANSIBLE_NOCOLOR: '1' },
  });
  await untilQuiet(lab.hosts);
  const hosts = (await hostsCpuSeconds(lab.hosts)) - before;
  const recap = recapOf(stdout);
  const isDone = expected === 'all' ? recap.changed >= lab.hosts.length * 6 : recap.changed === expected;
  if (recap.failed > 0 || !isDone)
    throw new Error(
      `The playbook should have changed ${expected}, and nothing failed:\n${stdout.slice(-3000)}`,
    );
  return { wall: wallSeconds, hosts, centre: cpuSeconds };
}

function recapOf(stdout: string): Recap {
  const sum = (field: string): number =>
    [...stdout.matchAll(new RegExp(`\\b${field}=(\\d+)`, 'g'))].reduce((all, [, n]) => all + Number(n), 0);
  return { changed: sum('changed'), failed: sum('failed') + sum('unreachable') };
}

/** A Debian repository of the packages on the same file server that KubeNode's hosts use, and nothing else for apt to look at. */
async function servePackages(
  server: FileServer,
  { files: sources }: LoadedExamples,
  { debs }: Content,
  lab: Lab,
): Promise<void> {
  const index: string[] = [];
  for (const { url } of debs) {
    const path = new URL(url).pathname;
    const file = sources.find((source) => join('/', source.path) === decodeURIComponent(path))?.file;
    if (file === undefined) throw new Error(`${url} is not served.`);
    const fields = (await runMeasured(['dpkg-deb', '--field', file])).stdout.trim();
    const digest = (await digestOfFile(file)).slice('sha256:'.length);
    index.push(`${fields}\nFilename: .${path}\nSize: ${(await stat(file)).size}\nSHA256: ${digest}\n`);
  }
  await server.put('Packages', index.join('\n'));
  await Promise.all(lab.hosts.map((host) => useRepository(host)));
}

/** By apt, which knows the order that dpkg does not: some of these must be configured before others are unpacked. */
async function installPython(host: LabHost, debs: readonly string[]): Promise<void> {
  const folder = '/var/cache/bench-debs';
  await mkdir(join(host.rootfs, folder));
  for (const deb of debs) await copyFile(deb, join(host.rootfs, folder, basename(deb)));
  await host.exec(['apt-get', 'install', '-y', '-qq', ...debs.map((deb) => join(folder, basename(deb)))], {
    env: { DEBIAN_FRONTEND: 'noninteractive' },
  });
  await rm(join(host.rootfs, folder), { recursive: true });
}

async function useRepository(host: LabHost): Promise<void> {
  const apt = join(host.rootfs, 'etc/apt');
  await rm(join(apt, 'sources.list.d'), { recursive: true, force: true });
  await writeFile(join(apt, 'sources.list'), 'deb [trusted=yes] http://artifacts.lab ./\n');
  await host.exec(['apt-get', 'update', '-qq']);
}
