import type { PackageManager, ServiceManager } from '../ports.ts';
import { findProgram, runCommand } from './command.ts';
import type { RootedPaths } from './files/rooted-paths.ts';
import type { SystemdServices } from './systemd/manager.ts';
import { UnitFiles } from './unit-files.ts';

export interface ServicesOptions {
  readonly paths: RootedPaths;
  /** Host paths that hooks do not see. */
  readonly hidden: readonly string[];
  readonly hasSystemd: boolean;
  readonly sourcesFile: string;
  readonly log: (message: string) => void;
}

export interface OpenServices {
  readonly services: ServiceManager;
  readonly packages: PackageManager | undefined;
  readonly close: () => Promise<void>;
}

/** What runs services on this host, and what installs packages through it. */
export async function openServices(options: ServicesOptions): Promise<OpenServices> {
  if (!options.hasSystemd) {
    const { Supervisor } = await import('./supervisor/supervisor.ts');
    const supervisor = await Supervisor.open(options.paths, options.log);
    return { services: supervisor, packages: undefined, close: () => supervisor.close() };
  }
  const { SystemdBus } = await import('./systemd/bus.ts');
  const { SystemdServices } = await import('./systemd/manager.ts');
  const bus = new SystemdBus({ log: options.log });
  await bus.connect();
  const services = new SystemdServices(bus, new UnitFiles(options.paths), options.hidden, options.log);
  return { services, packages: await openPackages(services, options), close: async () => bus.close() };
}

async function openPackages(
  services: SystemdServices,
  options: ServicesOptions,
): Promise<PackageManager | undefined> {
  if ((await findProgram('', 'dpkg')) === undefined) return undefined;
  const { DpkgPackages } = await import('./packages/dpkg.ts');
  return new DpkgPackages({
    // One name: a dpkg that an agent before this one started is waited for.
    runApart: (request) =>
      services.runUnit({
        ...request,
        name: 'kubenode-dpkg.service',
        description: 'KubeNode package installation',
        hidden: [],
      }),
    run: (request) => runCommand('', request),
    sourcesFile: options.sourcesFile,
  });
}
