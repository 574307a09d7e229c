import { text } from 'node:stream/consumers';
import { parseArgs } from 'node:util';
import { jsonLogger, systemClock } from '@kubenode/runtime';
import { type PlanRequest, planHost } from './commands/plan.ts';
import { revertHost } from './commands/revert.ts';
import { run } from './commands/run.ts';
import { type AgentConfig, defaultConfigPath, defaultStateDir, readConfig } from './config.ts';
import { createHost } from './host/index.ts';
import { watchOver } from './selfupgrade/watch-over.ts';
import { agentVersion } from './version.ts';

const usage = `kubenode-agent: holds one host to its Machine.

  kubenode-agent [run] [--config FILE]   run until SIGTERM; components go on running
  kubenode-agent plan [--root FOLDER]    read {machine, revisions} from standard input, print what would change
  kubenode-agent revert [--config FILE]  put back what was there before; print what could not be, and why
  kubenode-agent watch-over [--state FOLDER]  bring back the agent before, should an upgrade of the agent fail
  kubenode-agent version | --version

The configuration stands in ${defaultConfigPath} unless told otherwise.
`;

/** The agent program. @returns its exit status. */
export async function main(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      config: { type: 'string' },
      root: { type: 'string' },
      state: { type: 'string' },
      version: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  const [command = values.version ? 'version' : 'run', ...rest] = positionals;
  if (values.help || rest.length > 0) {
    process.stdout.write(usage);
    return values.help ? 0 : 2;
  }
  const config = values.config ?? defaultConfigPath;
  switch (command) {
    case 'run':
      await run(config, endSignal());
      return 0;
    case 'plan':
      await plan(values.root ?? '');
      return 0;
    case 'revert':
      await revert(values.config, values.root);
      return 0;
    case 'watch-over':
      await watch(values.state ?? defaultStateDir, endSignal());
      return 0;
    case 'version':
      process.stdout.write(`${agentVersion}\n`);
      return 0;
    default:
      process.stderr.write(`unknown command ${command}\n\n${usage}`);
      return 2;
  }
}

function endSignal(): AbortSignal {
  const end = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.once(signal, () => end.abort(new Error(`ended by ${signal}`)));
  return end.signal;
}

async function watch(stateFolder: string, signal: AbortSignal): Promise<void> {
  const log = jsonLogger();
  const host = await createHost({ root: '', stateDir: stateFolder, log: (message) => log.info(message) });
  try {
    await watchOver({ host, stateFolder, clock: systemClock, log }, signal);
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    await host.close();
  }
}

async function plan(root: string): Promise<void> {
  const request = JSON.parse(await text(process.stdin)) as PlanRequest;
  if (typeof request.machine?.metadata?.name !== 'string' || !Array.isArray(request.revisions)) {
    throw new Error('plan reads one JSON object {machine, revisions} from standard input');
  }
  const host = await createHost({ root });
  try {
    process.stdout.write(`${JSON.stringify(await planHost(request, host))}\n`);
  } finally {
    await host.close();
  }
}

async function revert(configPath: string | undefined, root: string | undefined): Promise<void> {
  const config: Pick<AgentConfig, 'root' | 'stateDir'> =
    configPath === undefined && root !== undefined
      ? { root, stateDir: defaultStateDir }
      : await readConfig(configPath ?? defaultConfigPath);
  const host = await createHost({ root: config.root, stateDir: config.stateDir });
  try {
    const left = await revertHost(host, config.stateDir, jsonLogger());
    process.stdout.write(`${JSON.stringify(left)}\n`);
  } finally {
    await host.close();
  }
}
