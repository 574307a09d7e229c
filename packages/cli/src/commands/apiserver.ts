import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Command, UsageError } from '../command.ts';
import { Screen } from '../screen.ts';

export const apiserver: Command = {
  name: 'apiserver',
  summary: 'Run the embedded control plane alone',
  usage: '--data-dir DIR [--port N]',
  help: `
A Kubernetes API server in one process, kept in DIR/state.db. Real kubectl and any client work against it. For laptops, demos and
tests; in production use a real cluster.

  kubenode apiserver --data-dir ./state --port 6443 &
  kubectl --kubeconfig ./state/kubeconfig get crds`,
  options: {
    'data-dir': {
      type: 'string',
      value: 'DIR',
      help: 'folder of its state and keys; made when it is not there',
    },
    port: { type: 'string', value: 'N', help: 'port (default: any free one)' },
    listen: { type: 'string', value: 'ADDRESS', help: 'address to listen on (default 127.0.0.1)' },
    advertise: {
      type: 'string',
      multiple: true,
      value: 'NAME',
      help: 'another name or address by which clients reach it; may be repeated',
    },
  },
  async run(input, terminal) {
    const dataDir = input.text('data-dir');
    if (dataDir === undefined) throw new UsageError('--data-dir is missing');
    const port = Number(input.text('port') ?? 0);
    if (!Number.isInteger(port) || port < 0 || port > 65_535)
      throw new UsageError('--port must be from 0 to 65535');
    const { startApiServer } = await import('@kubenode/standalone');
    const host = input.text('listen');
    const advertise = [...input.texts('advertise')];
    const server = await startApiServer({
      dataDir,
      port,
      ...(host === undefined ? {} : { host }),
      ...(advertise.length === 0 ? {} : { advertise }),
    });
    const file = join(dataDir, 'kubeconfig');
    await writeFile(file, server.kubeconfig, { mode: 0o600 });
    const screen = new Screen(terminal.err);
    screen.say(`The API server answers at ${server.url}. Its kubeconfig: ${file}. Ctrl-C ends it.`);
    await new Promise<void>((resolve) => {
      if (terminal.signal.aborted) resolve();
      terminal.signal.addEventListener('abort', () => resolve());
    });
    await server.stop();
    return 0;
  },
};
