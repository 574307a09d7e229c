import type { PackageManager, ServiceManager } from '../ports.ts';
import type { RootedPaths } from './files/rooted-paths.ts';
import { SystemdBus } from './systemd/bus.ts';
import { SystemdServices } from './systemd/manager.ts';
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
  const files = new UnitFiles(options.paths);
  const bus = new SystemdBus({ log: options.log });
  if (options.hasSystemd) await bus.connect();
  return {
    services: new SystemdServices(bus, files, options.hidden),
    packages: undefined,
    close: () => bus.close(),
  };
}
