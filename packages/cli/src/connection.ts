import { existsSync } from 'node:fs';
import { type Client, type Connection, createClient, inCluster, loadKubeconfig } from '@kubenode/runtime';
import { CommandError, type Input, type Terminal } from './command.ts';

/** Where `npm start` keeps its kubeconfig. */
const demoKubeconfig = '.kubenode/kubeconfig';

/** The API server that the options name; a pod's own where nothing is named. @throws CommandError that says what to do */
export async function readConnection(input: Input, { env }: Pick<Terminal, 'env'>): Promise<Connection> {
  const named = input.text('kubeconfig');
  const context = input.text('context');
  if (named === undefined && context === undefined) {
    const own = await inCluster(env);
    if (own !== undefined) return own;
  }
  const fromEnv = (env['KUBECONFIG'] ?? '') !== '';
  const file = named ?? (!fromEnv && existsSync(demoKubeconfig) ? demoKubeconfig : undefined);
  try {
    return await loadKubeconfig(file, context === undefined ? {} : { context });
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    throw new CommandError(
      `there is no kubeconfig at ${file ?? (fromEnv ? env['KUBECONFIG'] : '~/.kube/config')}; name one with --kubeconfig, or try everything without a cluster: npm start`,
      { cause: error },
    );
  }
}

export async function connect(input: Input, terminal: Pick<Terminal, 'env'>): Promise<Client> {
  return createClient(await readConnection(input, terminal));
}
