import { readFile } from 'node:fs/promises';
import { systemClock } from '../clock/clock.ts';
import type { Connection } from './credentials.ts';
import { fileCredentials } from './kubeconfig.ts';

const folder = '/var/run/secrets/kubernetes.io/serviceaccount';

/**
 * The connection of a pod's ServiceAccount, undefined where this is no pod. The token is read again as it is renewed.
 * @param env @default process.env
 * @param root where the ServiceAccount's files lie, for tests
 */
export async function inCluster(
  env: NodeJS.ProcessEnv = process.env,
  root: string = folder,
): Promise<Connection | undefined> {
  const host = env['KUBERNETES_SERVICE_HOST'];
  const port = env['KUBERNETES_SERVICE_PORT'];
  if (host === undefined || port === undefined) return undefined;
  const [ca, namespace] = await Promise.all([
    readFile(`${root}/ca.crt`, 'utf8'),
    readFile(`${root}/namespace`, 'utf8').catch(() => undefined),
  ]);
  return {
    server: `https://${host.includes(':') ? `[${host}]` : host}:${port}`,
    ca,
    credentials: fileCredentials({ tokenFile: `${root}/token` }, systemClock),
    ...(namespace === undefined ? {} : { namespace: namespace.trim() }),
  };
}
