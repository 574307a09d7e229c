import type { Command } from '../command.ts';

export const agent: Command = {
  name: 'agent',
  summary: 'Run the host agent in this process (hosts have it as one executable)',
  usage: '[run|plan|revert|version] [--config FILE]',
  help: 'The same program as kubenode-agent on a host; kubenode agent --help is its own help.',
  options: {},
  raw: true,
  async run({ positionals }) {
    const { main } = await import('@kubenode/agent');
    return main(positionals);
  },
};
