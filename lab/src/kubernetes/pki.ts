import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../system/run.ts';

/** A certificate and its key, as files. */
export interface Credential {
  certificate: string;
  key: string;
}

/** Everything that a control plane of the lab proves itself with. Made anew for each, valid for ten days. */
export interface Pki {
  ca: Credential;
  /** Signs what the API server shows to aggregated servers. */
  frontProxyCa: Credential;
  frontProxy: Credential;
  apiserver: Credential;
  /** The API server as a client of kubelets. */
  apiserverKubelet: Credential;
  admin: Credential;
  controllerManager: Credential;
  /** Signs service account tokens. */
  serviceAccountKey: string;
}

const days = '10';

/** Makes a control plane's keys and certificates with openssl; keys are readable by their owner only. */
export async function makePki(dir: string, addresses: readonly string[]): Promise<Pki> {
  const ca = await makeCa(dir, 'ca', 'kubenode-lab');
  const frontProxyCa = await makeCa(dir, 'front-proxy-ca', 'kubenode-lab-front-proxy');
  const names = ['localhost', 'kubernetes', 'kubernetes.default', 'kubernetes.default.svc'];
  const alternatives = [
    ...names.map((name) => `DNS:${name}`),
    ...[...addresses, '10.96.0.1'].map((address) => `IP:${address}`),
  ].join(',');
  const client = 'extendedKeyUsage=clientAuth';
  const serviceAccountKey = join(dir, 'service-account.key');
  await makeKey(serviceAccountKey);
  return {
    ca,
    frontProxyCa,
    frontProxy: await issue(dir, 'front-proxy', '/CN=front-proxy-client', frontProxyCa, [client]),
    apiserver: await issue(dir, 'apiserver', '/CN=kube-apiserver', ca, [
      `subjectAltName=${alternatives}`,
      'extendedKeyUsage=serverAuth',
    ]),
    apiserverKubelet: await issue(
      dir,
      'apiserver-kubelet',
      '/O=system:masters/CN=kube-apiserver-kubelet-client',
      ca,
      [client],
    ),
    admin: await issue(dir, 'admin', '/O=system:masters/CN=kubernetes-admin', ca, [client]),
    controllerManager: await issue(dir, 'controller-manager', '/CN=system:kube-controller-manager', ca, [
      client,
    ]),
    serviceAccountKey,
  };
}

async function makeKey(file: string): Promise<void> {
  await run(['openssl', 'ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', file]);
  await chmod(file, 0o600);
}

async function makeCa(dir: string, name: string, subject: string): Promise<Credential> {
  const credential = { certificate: join(dir, `${name}.crt`), key: join(dir, `${name}.key`) };
  await makeKey(credential.key);
  const use = ['-addext', 'keyUsage=critical,digitalSignature,keyEncipherment,keyCertSign'];
  await run([
    'openssl',
    'req',
    '-x509',
    '-new',
    '-key',
    credential.key,
    '-subj',
    `/CN=${subject}`,
    '-days',
    days,
    ...use,
    '-out',
    credential.certificate,
  ]);
  return credential;
}

async function issue(
  dir: string,
  name: string,
  subject: string,
  ca: Credential,
  extensions: readonly string[],
): Promise<Credential> {
  const credential = { certificate: join(dir, `${name}.crt`), key: join(dir, `${name}.key`) };
  await makeKey(credential.key);
  const request = await run(['openssl', 'req', '-new', '-key', credential.key, '-subj', subject]);
  const extensionFile = join(dir, `${name}.ext`);
  await writeFile(
    extensionFile,
    ['basicConstraints=critical,CA:FALSE', 'keyUsage=critical,digitalSignature', ...extensions, ''].join(
      '\n',
    ),
  );
  const signer = [
    '-CA',
    ca.certificate,
    '-CAkey',
    ca.key,
    '-CAcreateserial',
    '-days',
    days,
    '-extfile',
    extensionFile,
  ];
  await run(['openssl', 'x509', '-req', ...signer, '-out', credential.certificate], { stdin: request });
  return credential;
}

/** Writes a kubeconfig that holds all it needs. JSON is YAML, so every client reads it. */
export async function writeKubeconfig(
  file: string,
  server: string,
  caFile: string,
  credential: Credential,
): Promise<void> {
  const base64 = async (path: string): Promise<string> => (await readFile(path)).toString('base64');
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'lab', cluster: { server, 'certificate-authority-data': await base64(caFile) } }],
    users: [
      {
        name: 'user',
        user: {
          'client-certificate-data': await base64(credential.certificate),
          'client-key-data': await base64(credential.key),
        },
      },
    ],
    contexts: [{ name: 'lab', context: { cluster: 'lab', user: 'user' } }],
    'current-context': 'lab',
  };
  await writeFile(file, `${JSON.stringify(config, null, 2)}\n`, { mode: 0o600 });
}
