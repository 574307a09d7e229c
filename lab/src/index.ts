// What tests, the demo and the command line use of the lab. Everything here needs Linux; hosts need root, `startKubernetes` and the
// builders need Go. `missingForHosts` and `missingForBuilds` say what a machine lacks before anything is started.
export { artifactBuilds } from './artifacts/builds.ts';
export type { ArtifactBuild } from './artifacts/builds.ts';
export { debVersions, ensureDeb } from './artifacts/debs.ts';
export type { DebArtifact } from './artifacts/debs.ts';
export { digestOf, digestOfFile } from './artifacts/digest.ts';
export { startFileServer } from './artifacts/file-server.ts';
export type { FileServer, FileServerOptions, Misbehaviour } from './artifacts/file-server.ts';
export { pushComponentImage } from './artifacts/image.ts';
export type { ImageOptions, PushedImage } from './artifacts/image.ts';
export { startRegistry } from './artifacts/registry.ts';
export type { Registry, RegistryOptions } from './artifacts/registry.ts';
export { supplyExamples, supplyExamplesDetached } from './artifacts/supply.ts';
export type { Supply, SupplyOptions } from './artifacts/supply.ts';
export { packTarGz } from './artifacts/tar.ts';
export type { PackedFile } from './artifacts/tar.ts';
export { loadExamples } from './examples/load.ts';
export type { LoadedExamples, LoadExamplesOptions } from './examples/load.ts';
export type { ExampleArtifact, ExampleManifest } from './examples/manifests.ts';
export { missingForBuilds } from './go/build.ts';
export { downLab } from './hosts/down.ts';
export { HostCommandError, LabHost } from './hosts/host.ts';
export type { ExecOptions, ExecResult, NetworkAction, PowerAction } from './hosts/host.ts';
export { createLab, openLab } from './hosts/lab.ts';
export type { HostOptions, Lab, LabOptions } from './hosts/lab.ts';
export { downloadDebs, installDebs } from './hosts/packages.ts';
export { runMeasured } from './hosts/measured.ts';
export type { Measured } from './hosts/measured.ts';
export { missingForHosts, requirePrograms } from './hosts/requirements.ts';
export {
  allowNodeBootstrap,
  createBootstrapToken,
  writeBootstrapKubeconfig,
} from './kubernetes/bootstrap.ts';
export type { BootstrapToken } from './kubernetes/bootstrap.ts';
export {
  ensureKubectl,
  ensureKubernetesBinaries,
  ensureOlderKubelet,
  kubernetesIsBuilt,
} from './kubernetes/build.ts';
export type { KubernetesBinaries } from './kubernetes/build.ts';
export { startKubernetes } from './kubernetes/start.ts';
export type { Kubernetes, KubernetesOptions } from './kubernetes/start.ts';
export { startPrometheus } from './prometheus/start.ts';
export type { Prometheus, PrometheusOptions, ScrapeTarget } from './prometheus/start.ts';
export { freePorts } from './system/ports.ts';
export { silent } from './system/progress.ts';
export type { Progress } from './system/progress.ts';
