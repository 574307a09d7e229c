import { parseArgs } from 'node:util';

export interface DemoOptions {
  /** undefined: systemd hosts where this machine can, local hosts otherwise. */
  readonly hosts: 'systemd' | 'local' | undefined;
  readonly count: number;
  readonly reset: boolean;
  /** Ends when all is ready instead of waiting for Ctrl-C; for tests. */
  readonly once: boolean;
}

export const usage = `npm start [-- OPTIONS]

Starts a control plane, the operator and hosts, imports the hosts, and holds them until Ctrl-C.
State is kept in .kubenode/: start again and it goes on where it was.

  --hosts systemd|local   systemd: real hosts in systemd-nspawn (needs root); local: a folder and an agent each.
                          Default: systemd as root on Debian or Ubuntu, local otherwise.
  --count N               how many hosts, 1 to 20 (default 3)
  --reset                 forget everything first
  --once                  stop when all is ready
`;

/** @throws Error that names the option and what it takes. */
export function parseOptions(args: readonly string[]): DemoOptions | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      hosts: { type: 'string' },
      count: { type: 'string', default: '3' },
      reset: { type: 'boolean', default: false },
      once: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) return undefined;
  if (values.hosts !== undefined && values.hosts !== 'systemd' && values.hosts !== 'local')
    throw new Error(`--hosts takes systemd or local, not ${values.hosts}`);
  const count = Number(values.count);
  if (!Number.isInteger(count) || count < 1 || count > 20)
    throw new Error(`--count takes a number from 1 to 20, not ${values.count}`);
  return { hosts: values.hosts, count, reset: values.reset, once: values.once };
}
