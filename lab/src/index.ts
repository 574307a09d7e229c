// What tests, the demo and the command line use of the lab. Everything here needs Linux; hosts need root, `startKubernetes` and the
// builders need Go. `missingForHosts` and `missingForBuilds` say what a machine lacks before anything is started.
export { downLab } from './hosts/down.ts';
export type { ExecOptions, ExecResult, NetworkAction, PowerAction } from './hosts/host.ts';
export { HostCommandError, LabHost } from './hosts/host.ts';
export type { HostOptions, Lab, LabOptions } from './hosts/lab.ts';
export { createLab, openLab } from './hosts/lab.ts';
export { installDebs } from './hosts/packages.ts';
export { missingForHosts } from './hosts/requirements.ts';
export type { Progress } from './system/progress.ts';
export type { KubernetesBinaries } from './kubernetes/build.ts';
export { ensureKubectl, ensureKubernetesBinaries, kubernetesIsBuilt } from './kubernetes/build.ts';
export type { Kubernetes, KubernetesOptions } from './kubernetes/start.ts';
export { startKubernetes } from './kubernetes/start.ts';
export { missingForBuilds } from './go/build.ts';
