import { systemNamespace } from '@kubenode/api';
import { type Client, Secret } from '@kubenode/runtime';
import type { Credentials } from './http.ts';

/**
 * What the Secret in the operator's namespace holds. Tokens of ServiceAccounts are refused: who may write a set could have the operator's
 * own sent anywhere.
 * @throws Error that names the Secret and says what to do, and never what it holds
 */
export async function credentialsOf(
  client: Client,
  name: string | undefined,
  signal: AbortSignal,
): Promise<Credentials> {
  if (name === undefined) return {};
  const where = `Secret ${name} of the namespace ${systemNamespace}`;
  const secret = await client.get(Secret, { namespace: systemNamespace, name }, { signal });
  if (secret === undefined) throw new Error(`${where} does not exist; make it, or correct secretName`);
  if (secret.type === 'kubernetes.io/service-account-token')
    throw new Error(
      `${where} holds the token of a ServiceAccount, which goes nowhere; make one of type Opaque`,
    );
  const field = (key: string): string =>
    Buffer.from(secret.data?.[key] ?? '', 'base64')
      .toString('utf8')
      .trim();
  const [token, ca] = [field('token'), field('ca.crt')];
  if (token === '' && ca === '') throw new Error(`${where} holds neither token nor ca.crt; put one in`);
  if (!/^[\x21-\x7e]*$/.test(token))
    throw new Error(`${where} holds a token with spaces, line breaks or letters that no header can carry`);
  return { ...(token !== '' && { token }), ...(ca !== '' && { ca }) };
}
