import type { PackageManager, ServiceManager } from '../ports.ts';
import type { RootedPaths } from './files/rooted-paths.ts';
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
  readonly close: () => void;
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
  return {
    services: new SystemdServices(bus, new UnitFiles(options.paths), options.hidden),
    packages: undefined,
    close: () => bus.close(),
  };
}
