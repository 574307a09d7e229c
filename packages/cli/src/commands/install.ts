import {
  apiVersionOf,
  CustomResourceDefinition,
  defineKind,
  type Client,
  type Kind,
  type KubeObject,
} from '@kubenode/runtime';
import { type Command, connectionOptions, CommandError, type Terminal, UsageError } from '../command.ts';
import { connect } from '../connection.ts';
import { Screen } from '../screen.ts';

const establishMs = 30_000;
const lookMs = 200;

export const install: Command = {
  name: 'install',
  summary: 'Put kinds, roles and admission policies into a cluster',
  usage: '[-o yaml]',
  help: `
Applies what the operator and the agents need: CustomResourceDefinitions, RBAC, admission policies. Can be run again, also to bring
a newer version. With -o yaml it prints them instead, for GitOps.

  kubenode install
  kubenode install -o yaml > kubenode.yaml`,
  options: {
    ...connectionOptions,
    output: {
      type: 'string',
      short: 'o',
      value: 'yaml|json',
      help: 'print the manifests and change nothing',
    },
  },
  async run(input, terminal) {
    const { installManifests } = await import('@kubenode/machine');
    const manifests = installManifests();
    const output = input.text('output');
    if (output !== undefined) {
      terminal.out.write(await printed(manifests, output));
      return 0;
    }
    const client = await connect(input, terminal);
    await applyAll(client, manifests, terminal);
    return 0;
  },
};

async function printed(manifests: readonly KubeObject[], output: string): Promise<string> {
  if (output === 'json') {
    return `${JSON.stringify({ apiVersion: 'v1', kind: 'List', items: manifests }, undefined, 2)}\n`;
  }
  if (output !== 'yaml') throw new UsageError(`-o ${output}: only yaml and json`);
  const { stringify } = await import('yaml');
  return manifests.map((manifest) => `---\n${stringify(manifest)}`).join('');
}

async function applyAll(client: Client, manifests: readonly KubeObject[], terminal: Terminal): Promise<void> {
  const screen = new Screen(terminal.err);
  try {
    const counts = new Map<string, number>();
    for (const manifest of manifests) {
      const kind = kindOfManifest(manifest);
      const name = manifest.metadata.name ?? '';
      screen.doing(`${kind.kind} ${name}`);
      await client.apply(
        kind,
        { ...manifest, metadata: { ...manifest.metadata, name } },
        { fieldManager: 'kubenode-install', force: true, signal: terminal.signal },
      );
      counts.set(kind.kind, (counts.get(kind.kind) ?? 0) + 1);
    }
    await established(client, manifests, terminal.signal);
    screen.quiet();
    for (const [kind, count] of counts) screen.done(`${kind}: ${count}`);
    screen.say(`Installed into ${client.server}. Next: kubenode operator, then kubenode import`);
  } finally {
    screen.quiet();
  }
}

/** Kinds are served some moments after their definitions are there. */
async function established(
  client: Client,
  manifests: readonly KubeObject[],
  signal: AbortSignal,
): Promise<void> {
  const { systemClock } = await import('@kubenode/runtime');
  const until = systemClock.monotonic() + establishMs;
  for (const { kind, metadata } of manifests) {
    if (kind !== CustomResourceDefinition.kind) continue;
    for (;;) {
      const found = await client.get(CustomResourceDefinition, metadata.name ?? '', { signal });
      if (
        found?.status?.conditions?.some(({ type, status }) => type === 'Established' && status === 'True') ===
        true
      )
        break;
      if (systemClock.monotonic() > until) {
        throw new CommandError(
          `CustomResourceDefinition ${metadata.name} is not established after ${establishMs / 1000} s; see kubectl describe crd ${metadata.name}`,
        );
      }
      await systemClock.sleep(lookMs, signal);
    }
  }
}

/** The manifests are of well-known kinds, whose plurals follow the rule. */
function kindOfManifest({ apiVersion = 'v1', kind = '', metadata }: KubeObject): Kind {
  const [group, version] = apiVersion.includes('/') ? apiVersion.split('/') : ['', apiVersion];
  const word = kind.toLowerCase();
  const found = defineKind({
    group: group ?? '',
    version: version ?? '',
    kind,
    plural: word.endsWith('y') ? `${word.slice(0, -1)}ies` : `${word}s`,
    namespaced: metadata.namespace !== undefined,
  });
  if (apiVersionOf(found) !== apiVersion)
    throw new Error(`manifest ${kind} has the apiVersion ${apiVersion}`);
  return found;
}
