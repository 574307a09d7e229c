import type { KeyPair } from './certificates/authority.ts';

/** A kubeconfig (JSON, which is YAML) with everything inside. */
export function kubeconfig(server: string, caPem: string, client: KeyPair): string {
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'kubenode',
    clusters: [{ name: 'kubenode', cluster: { server, 'certificate-authority-data': base64(caPem) } }],
    users: [
      {
        name: 'kubenode-admin',
        user: {
          'client-certificate-data': base64(client.cert),
          'client-key-data': base64(client.key),
        },
      },
    ],
    contexts: [{ name: 'kubenode', context: { cluster: 'kubenode', user: 'kubenode-admin' } }],
  };
  return `${JSON.stringify(config, null, 2)}\n`;
}
