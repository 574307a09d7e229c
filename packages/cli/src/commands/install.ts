import type { Client, KubeObject } from '@kubenode/runtime';
import { type Command, connectionOptions, type Terminal, UsageError } from '../command.ts';
import { connect } from '../connection.ts';
import { Screen } from '../screen.ts';

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
    const output = input.text('output');
    if (output !== undefined) {
      const { installManifests } = await import('@kubenode/machine');
      terminal.out.write(await printed(installManifests(), output));
      return 0;
    }
    const client = await connect(input, terminal);
    await applyAll(client, terminal);
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

/** Applies everything, and says at the end how much of what. */
async function applyAll(client: Client, terminal: Terminal): Promise<void> {
  const { install: apply } = await import('@kubenode/machine');
  const screen = new Screen(terminal.err);
  const counts = new Map<string, number>();
  try {
    await apply(client, terminal.signal, (object) => {
      const kind = object.split('/')[0] ?? '';
      counts.set(kind, (counts.get(kind) ?? 0) + 1);
      screen.doing(object, true);
    });
    screen.quiet();
    for (const [kind, count] of counts) screen.done(`${kind}: ${count}`);
    screen.say(`Installed into ${client.server}. Next: kubenode operator, then kubenode import`);
  } finally {
    screen.quiet();
  }
}
