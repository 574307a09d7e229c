import { existsSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { ensureBuilt, type GoProgram } from '../go/build.ts';
import { kubeletProgram } from '../kubernetes/build.ts';
import type { Progress } from '../system/progress.ts';
import { packTarGz } from './tar.ts';

/** Software for hosts that the lab builds itself, byte for byte the same on every machine. */
export interface ArtifactBuild {
  component: string;
  version: string;
  /** Its path on the file server. */
  path: string;
  /** Builds it, or takes it from the cache. @returns its file. */
  build(progress: Progress): Promise<string>;
}

const cniVersion = 'v1.9.1';
const cniPlugins = [
  'main/bridge',
  'main/loopback',
  'main/ptp',
  'ipam/host-local',
  'meta/portmap',
  'meta/firewall',
  'meta/bandwidth',
];

function cniProgram(plugin: string): GoProgram {
  return {
    name: basename(plugin),
    module: 'cni-plugins',
    package: `github.com/containernetworking/plugins/plugins/${plugin}`,
    version: cniVersion,
    variables: { 'github.com/containernetworking/plugins/pkg/utils/buildversion.BuildVersion': cniVersion },
  };
}

function nodeExporterProgram(version: string): GoProgram {
  return {
    name: 'node_exporter',
    module: `node-exporter-${version.split('.').slice(0, 2).join('.')}`,
    package: 'github.com/prometheus/node_exporter',
    version,
    variables: { 'github.com/prometheus/common/version.Version': version },
  };
}

/** A tar.gz of programs, packed once and kept beside the first of them. */
async function packed(
  programs: readonly GoProgram[],
  folder: string,
  archive: string,
  progress: Progress,
  hint: string,
): Promise<string> {
  const files = [];
  for (const program of programs)
    files.push({ file: await ensureBuilt(program, progress, hint), name: `${folder}${program.name}` });
  const [first] = files;
  if (first === undefined) throw new Error(`${archive} would be empty.`);
  const output = join(dirname(first.file), archive);
  if (existsSync(output)) return output;
  await writeFile(`${output}.tmp`, await packTarGz(files));
  await rename(`${output}.tmp`, output);
  return output;
}

function nodeExporter(version: string): ArtifactBuild {
  const archive = `node_exporter-${version}.linux-amd64.tar.gz`;
  return {
    component: 'node-exporter',
    version,
    path: `/node-exporter/${archive}`,
    build: async (progress) =>
      await packed([nodeExporterProgram(version)], 'bin/', archive, progress, '30 s'),
  };
}

/** All that the lab builds for hosts. */
export const artifactBuilds: readonly ArtifactBuild[] = [
  {
    component: 'kubelet',
    version: kubeletProgram.version.slice(1),
    path: `/kubelet/${kubeletProgram.version}/linux-amd64/kubelet`,
    build: async (progress) => await ensureBuilt(kubeletProgram, progress, '3 min'),
  },
  {
    component: 'cni-plugins',
    version: cniVersion.slice(1),
    path: `/cni-plugins/cni-plugins-linux-amd64-${cniVersion}.tgz`,
    build: async (progress) =>
      await packed(
        cniPlugins.map(cniProgram),
        '',
        `cni-plugins-linux-amd64-${cniVersion}.tgz`,
        progress,
        '10 s',
      ),
  },
  nodeExporter('1.11.1'),
  nodeExporter('1.12.1'),
];
