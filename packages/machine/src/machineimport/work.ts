import { type MachineImport as ImportObject, systemNamespace } from '@kubenode/api';
import { type Clock, Secret } from '@kubenode/runtime';
import { Machine } from '../kinds.ts';
import { connectSsh, SshError, type SshSession } from '../ssh/index.ts';
import type { MachineImportDeps, Work } from './deps.ts';
import { hostPaths } from './host.ts';
import { type HostFacts, readFacts } from './inspect.ts';
import type { Download } from './install.ts';

/** One import's work; `close` ends the session, if one was opened. */
export interface OpenWork extends Work {
  /** Tells `since` which step is under way. */
  begin(sinceMs: number): void;
  close(): void;
}

export function openWork(
  object: ImportObject,
  deps: MachineImportDeps & { readonly clock: Clock; readonly push: Download },
  signal: AbortSignal,
): OpenWork {
  const { client, clock, agents, server, push } = deps;
  const paths = deps.paths ?? hostPaths();
  let session: Promise<SshSession> | undefined;
  let facts: Promise<HostFacts> | undefined;
  let since = clock.now();

  const open = async (): Promise<SshSession> => {
    const { address, port, user, hostKey, keySecretName } = object.spec.ssh;
    const privateKey = await readKey(deps, keySecretName, signal);
    const connect = deps.connect ?? connectSsh;
    return connect(
      { address, port, user, privateKey, ...(hostKey === undefined ? {} : { hostKey }) },
      { signal },
    );
  };
  const work: OpenWork = {
    object,
    client,
    agents,
    server,
    paths,
    push,
    signal,
    found: {},
    now: () => clock.now(),
    since: () => since,
    begin: (ms) => {
      since = ms;
    },
    host: () => {
      session ??= open();
      return session;
    },
    facts: () => {
      facts ??= work.host().then((host) => readFacts(host, paths));
      return facts;
    },
    machine: () => client.get(Machine, object.spec.machine.name, { signal }),
    close: () => {
      session?.then(
        (open) => open.close(),
        () => undefined,
      );
    },
  };
  return work;
}

async function readKey({ client }: MachineImportDeps, name: string, signal: AbortSignal): Promise<Buffer> {
  const secret = await client.get(Secret, { namespace: systemNamespace, name }, { signal });
  const encoded = secret?.data?.['ssh-privatekey'];
  if (encoded !== undefined && encoded !== '') return Buffer.from(encoded, 'base64');
  const what = `Secret ${systemNamespace}/${name} (spec.ssh.keySecretName)`;
  throw new SshError(
    'KeyUnusable',
    `${what} ${secret === undefined ? 'does not exist' : 'has no key ssh-privatekey'}; make it with: ` +
      `kubectl create secret generic ${name} -n ${systemNamespace} --from-file=ssh-privatekey=FILE`,
  );
}
