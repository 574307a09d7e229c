import { mkdir, readFile, rm } from 'node:fs/promises';
import { request } from 'node:https';
import { join, resolve } from 'node:path';
import { isAlive, type ProcessId, waitUntil } from '../system/processes.ts';
import { freePorts } from '../system/ports.ts';
import { type Progress, silent, timed } from '../system/progress.ts';
import { endServices, startService } from '../system/services.ts';
import { ensureKubernetesBinaries, type KubernetesBinaries } from './build.ts';
import { makePki, type Pki, writeKubeconfig } from './pki.ts';

/** How a control plane is started. */
export interface KubernetesOptions {
  /** Where its data, keys, logs and kubeconfig are kept: a folder of its own. `LAB/kubernetes` goes down with the lab. */
  dir: string;
  /** The address that the API server listens on: a lab's bridge, so that hosts reach it. Default 127.0.0.1. Never a public one. */
  address?: string;
  /** Further flags of kube-apiserver, e.g. `--feature-gates=...`; a later one wins. */
  apiserverFlags?: readonly string[];
  progress?: Progress;
}

/** A real control plane: etcd, kube-apiserver, kube-controller-manager. It lives on when this process ends. */
export interface Kubernetes {
  /** `https://ADDRESS:PORT`. */
  server: string;
  /** The file of the admin's kubeconfig (user kubernetes-admin, group system:masters). */
  kubeconfig: string;
  /** The file of the certificate authority that the API server's certificate is from. */
  caFile: string;
  /** The programs; `binaries.kubectl` for use by hand and in tests. */
  binaries: KubernetesBinaries;
  /** The process of each part, to be stopped and continued by tests (`process.kill(pid, 'SIGSTOP')`). */
  processes: { etcd: ProcessId; apiserver: ProcessId; controllerManager: ProcessId };
  /** Ends the API server alone (the "API server is gone" of a story); etcd and what it holds stay. */
  stopApiserver(): Promise<void>;
  /** Starts it again at the same address; resolves when it is ready. */
  startApiserver(): Promise<void>;
  /** Ends all of it, by its own process numbers. Files stay; the folder's owner removes them. */
  stop(): Promise<void>;
}

/**
 * Starts a real control plane from nothing in a folder (data of an earlier one there are removed) and waits until it is ready: some
 * three seconds once the programs are built.
 * @throws Error with the end of the log of the part that isn't ready.
 */
export async function startKubernetes(options: KubernetesOptions): Promise<Kubernetes> {
  const progress = options.progress ?? silent;
  const dir = resolve(options.dir);
  const address = options.address ?? '127.0.0.1';
  const binaries = await ensureKubernetesBinaries(progress);
  await endServices(dir);
  await rm(dir, { recursive: true, force: true });
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const pki = await makePki(dir, [...new Set(['127.0.0.1', address])]);
  const [clientPort = 0, peerPort = 0] = await freePorts('127.0.0.1', 2);
  const [serverPort = 0] = await freePorts(address, 1);
  const [managerPort = 0] = await freePorts('127.0.0.1', 1);
  const server = `https://${address}:${serverPort}`;
  const kubeconfig = join(dir, 'kubeconfig');
  await writeKubeconfig(kubeconfig, server, pki.ca.certificate, pki.admin);
  const managerKubeconfig = join(dir, 'controller-manager.kubeconfig');
  await writeKubeconfig(managerKubeconfig, server, pki.ca.certificate, pki.controllerManager);

  const startApiserver = async (): Promise<ProcessId> => {
    const flags = [
      ...apiserverFlags(pki, address, serverPort, clientPort),
      ...(options.apiserverFlags ?? []),
    ];
    const id = await startService(dir, 'kube-apiserver', [binaries.apiserver, ...flags]);
    await waitReady(server, pki, id, join(dir, 'kube-apiserver.log'));
    return id;
  };
  try {
    return await timed(progress, 'Starting etcd, kube-apiserver and kube-controller-manager', async () => {
      const etcd = await startService(dir, 'etcd', [binaries.etcd, ...etcdFlags(dir, clientPort, peerPort)]);
      const apiserver = await startApiserver();
      const manager = [
        binaries.controllerManager,
        ...controllerManagerFlags(pki, managerKubeconfig, managerPort),
      ];
      const controllerManager = await startService(dir, 'kube-controller-manager', manager);
      const processes = { etcd, apiserver, controllerManager };
      return {
        server,
        kubeconfig,
        caFile: pki.ca.certificate,
        binaries,
        processes,
        stopApiserver: async () => await endApiserver(processes.apiserver),
        startApiserver: async () => {
          if (!isAlive(processes.apiserver)) processes.apiserver = await startApiserver();
        },
        stop: async () => await endServices(dir),
      };
    });
  } catch (error) {
    await endServices(dir);
    throw error;
  }
}

/** An API server that is asked nicely waits for its watches to end, up to a minute: stories want it gone. */
async function endApiserver(id: ProcessId): Promise<void> {
  if (isAlive(id)) process.kill(id.pid, 'SIGKILL');
  await waitUntil(() => !isAlive(id), 5000);
}

function etcdFlags(dir: string, clientPort: number, peerPort: number): string[] {
  const client = `http://127.0.0.1:${clientPort}`;
  const peer = `http://127.0.0.1:${peerPort}`;
  return [
    `--data-dir=${join(dir, 'etcd')}`,
    `--listen-client-urls=${client}`,
    `--advertise-client-urls=${client}`,
    `--listen-peer-urls=${peer}`,
    `--initial-advertise-peer-urls=${peer}`,
    `--initial-cluster=default=${peer}`,
    // The lab's data are worth nothing after a power cut, and disks of test machines are slow.
    '--unsafe-no-fsync',
    '--log-level=warn',
  ];
}

function apiserverFlags(pki: Pki, address: string, port: number, etcdPort: number): string[] {
  return [
    `--etcd-servers=http://127.0.0.1:${etcdPort}`,
    `--bind-address=${address}`,
    `--secure-port=${port}`,
    // There is one of it, and nothing in the lab reaches it by its service address.
    '--endpoint-reconciler-type=none',
    '--authorization-mode=Node,RBAC',
    '--enable-admission-plugins=NodeRestriction',
    '--enable-bootstrap-token-auth',
    '--allow-privileged',
    '--service-cluster-ip-range=10.96.0.0/16',
    `--client-ca-file=${pki.ca.certificate}`,
    `--tls-cert-file=${pki.apiserver.certificate}`,
    `--tls-private-key-file=${pki.apiserver.key}`,
    `--kubelet-client-certificate=${pki.apiserverKubelet.certificate}`,
    `--kubelet-client-key=${pki.apiserverKubelet.key}`,
    '--kubelet-preferred-address-types=InternalIP',
    `--service-account-key-file=${pki.serviceAccountKey}`,
    `--service-account-signing-key-file=${pki.serviceAccountKey}`,
    '--service-account-issuer=https://kubernetes.default.svc',
    `--requestheader-client-ca-file=${pki.frontProxyCa.certificate}`,
    '--requestheader-allowed-names=front-proxy-client',
    '--requestheader-username-headers=X-Remote-User',
    '--requestheader-group-headers=X-Remote-Group',
    '--requestheader-extra-headers-prefix=X-Remote-Extra-',
    `--proxy-client-cert-file=${pki.frontProxy.certificate}`,
    `--proxy-client-key-file=${pki.frontProxy.key}`,
  ];
}

function controllerManagerFlags(pki: Pki, kubeconfig: string, port: number): string[] {
  return [
    `--kubeconfig=${kubeconfig}`,
    `--authentication-kubeconfig=${kubeconfig}`,
    `--authorization-kubeconfig=${kubeconfig}`,
    '--bind-address=127.0.0.1',
    `--secure-port=${port}`,
    '--leader-elect=false',
    '--controllers=*,bootstrapsigner,tokencleaner',
    '--use-service-account-credentials',
    `--service-account-private-key-file=${pki.serviceAccountKey}`,
    `--root-ca-file=${pki.ca.certificate}`,
    `--cluster-signing-cert-file=${pki.ca.certificate}`,
    `--cluster-signing-key-file=${pki.ca.key}`,
    '--allocate-node-cidrs',
    '--cluster-cidr=10.244.0.0/16',
    '--service-cluster-ip-range=10.96.0.0/16',
  ];
}

/** Waits for /readyz; a server that ended, or isn't ready in a minute, fails with the end of its log. */
async function waitReady(server: string, pki: Pki, id: ProcessId, log: string): Promise<void> {
  const [ca, cert, key] = await Promise.all([
    readFile(pki.ca.certificate),
    readFile(pki.admin.certificate),
    readFile(pki.admin.key),
  ]);
  const ready = (): Promise<boolean> =>
    new Promise((resolve) => {
      const asked = request(
        `${server}/readyz`,
        { ca, cert, key, agent: false, timeout: 2000 },
        (response) => {
          response.resume();
          resolve(response.statusCode === 200);
        },
      );
      asked.once('timeout', () => asked.destroy());
      asked.once('error', () => resolve(false));
      asked.end();
    });
  let ended = false;
  const answered = await waitUntil(async () => {
    ended = !isAlive(id);
    return ended || (await ready());
  }, 60_000);
  if (answered && !ended) return;
  const tail = (await readFile(log, 'utf8')).trim().split('\n').slice(-12).join('\n');
  throw new Error(`kube-apiserver ${ended ? 'ended' : "wasn't ready in 60 s"}:\n${tail}`);
}
