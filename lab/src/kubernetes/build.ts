import { ensureBuilt, type GoProgram, isBuilt } from '../go/build.ts';
import type { Progress } from '../system/progress.ts';

/** The Kubernetes that the lab runs: what `lab/modules/kubernetes` pins. */
export const kubernetesVersion = 'v1.36.3';
const etcdVersion = 'v3.7.3';

function kubernetesProgram(name: string, version = kubernetesVersion, module = 'kubernetes'): GoProgram {
  const [, major = '', minor = ''] = /^v(\d+)\.(\d+)/.exec(version) ?? [];
  return {
    name,
    module,
    package: `k8s.io/kubernetes/cmd/${name}`,
    version,
    variables: {
      'k8s.io/component-base/version.gitVersion': version,
      'k8s.io/component-base/version.gitMajor': major,
      'k8s.io/component-base/version.gitMinor': minor,
      'k8s.io/component-base/version.gitTreeState': 'clean',
    },
  };
}

/** The kubelet, also an artifact for hosts. */
export const kubeletProgram: GoProgram = kubernetesProgram('kubelet');
const olderKubeletProgram: GoProgram = kubernetesProgram('kubelet', 'v1.35.4', 'kubelet-1.35');

const programs = {
  etcd: {
    name: 'etcd',
    module: 'etcd',
    package: 'go.etcd.io/etcd/server/v3',
    version: etcdVersion,
  } satisfies GoProgram,
  apiserver: kubernetesProgram('kube-apiserver'),
  controllerManager: kubernetesProgram('kube-controller-manager'),
  kubelet: kubeletProgram,
  kubectl: kubernetesProgram('kubectl'),
};

/** Cold build times on two cores, measured; what comes after the API server shares most of its packages. */
const hints: Readonly<Record<keyof typeof programs, string>> = {
  etcd: '20 s',
  apiserver: '3 min',
  controllerManager: '1.5 min',
  kubelet: '20 s',
  kubectl: '20 s',
};

/** Files of the programs of a real control plane and node. */
export type KubernetesBinaries = Record<keyof typeof programs, string>;

/**
 * Builds etcd and Kubernetes from their pinned Go modules, or takes them from the cache: about six minutes cold on two cores, no time after.
 * Two runs at once don't build twice.
 * @throws Error where Go is missing or a build fails, with the compiler's words.
 */
export async function ensureKubernetesBinaries(progress: Progress): Promise<KubernetesBinaries> {
  return {
    etcd: await ensureBuilt(programs.etcd, progress, hints.etcd),
    apiserver: await ensureBuilt(programs.apiserver, progress, hints.apiserver),
    controllerManager: await ensureBuilt(programs.controllerManager, progress, hints.controllerManager),
    kubelet: await ensureBuilt(programs.kubelet, progress, hints.kubelet),
    kubectl: await ensureBuilt(programs.kubectl, progress, hints.kubectl),
  };
}

/** A kubelet of the minor version before, to be upgraded from: about two minutes where nothing is cached. */
export async function ensureOlderKubelet(progress: Progress): Promise<{ version: string; file: string }> {
  const { version } = olderKubeletProgram;
  return { version: version.slice(1), file: await ensureBuilt(olderKubeletProgram, progress, '2 min') };
}

/** kubectl alone: about a minute and a half where nothing is cached. */
export async function ensureKubectl(progress: Progress): Promise<string> {
  return await ensureBuilt(programs.kubectl, progress, '1.5 min');
}

/** Whether all of it is in the cache, so that starting takes seconds. */
export async function kubernetesIsBuilt(): Promise<boolean> {
  for (const program of Object.values(programs)) if (!(await isBuilt(program))) return false;
  return true;
}
