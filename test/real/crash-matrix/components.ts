/** The smallest components that have every step: one for each kind of artifact, in three revisions, the last of which is bad. */
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Artifact, MachineComponentSpec } from '@kubenode/api';
import { digestOf, type FileServer, packTarGz, pushComponentImage, type Registry } from '@kubenode/lab';
import type { AgentExecutable } from '../../../packages/agent/build/sea.ts';
import { agentUnit } from '../../../packages/agent/src/config.ts';
import { agentExecutable } from '../../../packages/agent/src/selfupgrade/own.ts';
import { agentVersion } from '../../../packages/agent/src/version.ts';
import { packDeb } from '../deb.ts';

/** Besides the kinds of artifact: a file that takes effect by a reboot, and the agent itself, a file that is watched over. */
export const artifactKinds = ['archive', 'file', 'oci', 'package', 'files', 'reboot', 'agent'] as const;
export type ArtifactKind = (typeof artifactKinds)[number];

/** Revisions come after each other; `3` never works. */
export const versions = ['1', '2', '3'] as const;
export type Version = (typeof versions)[number];
export const badVersion: Version = '3';

export const componentName = (kind: ArtifactKind): string => `crash-${kind}`;
export const revisionName = (kind: ArtifactKind, version: Version): string =>
  `${componentName(kind)}-${version}`;
/** What the component's process read when it started. */
export const readFolder = '/run/crash';
/** Stands on every host before the component comes, and again when it is gone. */
export const configPath = (kind: ArtifactKind): string => `/etc/${componentName(kind)}.conf`;

export type Spec = Partial<MachineComponentSpec> & Pick<MachineComponentSpec, 'component' | 'version'>;

export interface ArtifactServers {
  /** For what is packed. */
  readonly dir: string;
  readonly files: FileServer;
  readonly registry: Registry;
  /** Makes an agent, of the project's version or of this one. */
  readonly buildAgent: (version?: string) => Promise<AgentExecutable>;
}

/** Makes and serves the artifact of one revision. */
export async function revisionSpec(
  kind: ArtifactKind,
  version: Version,
  servers: ArtifactServers,
): Promise<Spec> {
  if (kind === 'agent') return agentSpec(version, servers);
  const component = componentName(kind);
  const config = {
    component,
    version,
    files: [
      file(configPath(kind), `version=${version}\n`),
      // Only this revision has it: the next one takes it away.
      file(`/etc/${component}.d/${version}.conf`, `${version}\n`),
    ],
    // A revision is on probation for so long: it is not over in the middle of an act.
    progressDeadline: '15m',
  };
  const fails = version === badVersion;
  if (kind === 'files') {
    return {
      ...config,
      hooks: {
        preInstall: hook('true'),
        postInstall: hook(fails ? 'false' : 'true'),
        preRemove: hook('true'),
      },
      probes: [probe(['grep', '-qx', `version=${version}`, configPath(kind)])],
    };
  }
  const program = `${folderOf(kind)}/daemon`;
  const unit = `[Unit]
Description=${component} ${version}
[Service]
ExecStartPre=${program} read
ExecStart=${program}
[Install]
WantedBy=multi-user.target
`;
  return {
    ...config,
    artifacts: [{ os: 'linux', arch: 'amd64', ...(await artifact(kind, version, servers)) }],
    unit: { name: `${component}.service`, content: unit },
    disruption: kind === 'reboot' ? 'Reboot' : 'Restart',
    hooks: {
      preInstall: hook('true'),
      // Without it a unit is enabled before systemd reads its files, and not in a step of its own.
      ...(kind === 'file' ? {} : { postInstall: hook('true') }),
      preStop: hook('true'),
      postStart: hook(fails ? 'false' : 'true'),
      preRemove: hook('true'),
    },
    versionCheck: { exec: { command: [program, '--version'] }, pattern: '\\d+' },
    probes: [probe(['grep', '-qx', version, `${readFolder}/${component}`])],
  };
}

/** Versions of the agent; the first is the one that the hosts have. */
const agentVersions: Readonly<Record<Version, string>> = { 1: agentVersion, 2: '0.1.901', 3: '0.1.902' };

async function agentSpec(version: Version, { files, buildAgent }: ArtifactServers): Promise<Spec> {
  const built = await buildAgent(version === '1' ? undefined : agentVersions[version]);
  const path = `/kubenode-agent-${version}`;
  await cp(built.path, join(files.dir, path));
  return {
    component: componentName('agent'),
    version: agentVersions[version],
    artifacts: [
      {
        os: 'linux',
        arch: 'amd64',
        file: {
          url: `http://artifacts.lab${path}`,
          digest: built.digest,
          path: agentExecutable,
          mode: '0755',
        },
      },
    ],
    unit: { name: agentUnit },
    hooks: {
      preInstall: hook('true'),
      postInstall: hook('true'),
      preStop: hook('true'),
      postStart: hook(version === badVersion ? 'false' : 'true'),
    },
    versionCheck: { exec: { command: [agentExecutable, '--version'] }, pattern: '\\S+' },
    progressDeadline: '5m',
  };
}

type WithProgram = Exclude<ArtifactKind, 'files' | 'agent'>;

const folderOf = (kind: WithProgram): string =>
  kind === 'package' ? `/usr/lib/${componentName(kind)}` : `/opt/${componentName(kind)}/bin`;

async function artifact(
  kind: WithProgram,
  version: Version,
  { dir, files, registry }: ArtifactServers,
): Promise<Partial<Artifact>> {
  const component = componentName(kind);
  const work = join(dir, `${component}-${version}`);
  await mkdir(work, { recursive: true });
  const program = join(work, 'daemon');
  await writeFile(program, daemon(kind, version), { mode: 0o755 });
  const note = join(work, 'note');
  await writeFile(note, version);
  const packed = async (): Promise<Buffer> =>
    packTarGz([
      { file: program, name: 'bin/daemon' },
      { file: note, name: `share/note-${version}`, mode: 0o644 },
    ]);
  const put = async (name: string, content: Buffer): Promise<{ url: string; digest: string }> => ({
    url: `http://artifacts.lab/${component}/${version}/${name}`,
    digest: await files.put(`/${component}/${version}/${name}`, content),
  });
  if (kind === 'archive')
    return { archive: { ...(await put('daemon.tar.gz', await packed())), path: `/opt/${component}` } };
  if (kind === 'file' || kind === 'reboot') {
    const path = `${folderOf(kind)}/daemon`;
    return { file: { ...(await put('daemon', await readFile(program))), path, mode: '0755' } };
  }
  if (kind === 'oci') {
    const layer = join(work, 'layer.tar.gz');
    await writeFile(layer, await packed());
    const { digest } = await pushComponentImage(registry, component, layer, { tag: version });
    return { oci: { image: `registry.lab:5000/${component}@${digest}`, path: `/opt/${component}` } };
  }
  // As small as packages get.
  const deb = await packDeb(work, component, version, [
    { path: `usr/lib/${component}/daemon`, content: await readFile(program), mode: 0o755 },
    { path: `etc/${component}/package.conf`, content: `version=${version}\n`, isConfiguration: true },
  ]);
  return { package: { name: component, version, ...(await put(`${component}.deb`, deb)) } };
}

/** Says its version, and keeps on record what a process of it has read: `read` runs before each start. Large enough to be lost. */
function daemon(kind: WithProgram, version: string): string {
  const component = componentName(kind);
  return `#!/bin/sh
# ${digestOf(component + version).repeat(1_000)}
case "$1" in
--version) echo ${version} ;;
read)
  mkdir -p ${readFolder}
  { echo ${version}; cat ${configPath(kind)}; } >${readFolder}/${component} ;;
*) exec sleep infinity ;;
esac
`;
}

function file(path: string, content: string): MachineComponentSpec['files'][number] {
  return { path, content, mode: '0644', owner: 'root:root', onChange: 'Restart' };
}
function hook(program: string): { command: string[]; timeout: string } {
  return { command: [program], timeout: '10s' };
}
function probe(command: string[]): MachineComponentSpec['probes'][number] {
  return {
    name: 'right',
    exec: { command },
    periodSeconds: 10,
    timeoutSeconds: 5,
    failureThreshold: 3,
    initialDelaySeconds: 0,
  };
}
