import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { freePorts } from '../system/ports.ts';
import { isAlive, waitUntil } from '../system/processes.ts';
import { type Progress, silent } from '../system/progress.ts';
import { endServices, startService } from '../system/services.ts';
import { ensureDebProgram } from './deb-program.ts';

/** How a registry is started. */
export interface RegistryOptions {
  /** Where its images, configuration and log are: a folder of its own. `LAB/registry` goes down with the lab. */
  dir: string;
  /** Default 127.0.0.1; a lab's `address` for its hosts, who know it as registry.lab. */
  address?: string;
  /** Default: any free one; the committed examples name 5000. */
  port?: number;
  progress?: Progress;
}

/** A real OCI registry (Debian's docker-registry), without TLS and login. It lives on when this process ends. */
export interface Registry {
  /** `http://ADDRESS:PORT`. */
  url: string;
  /** `ADDRESS:PORT`, the first part of the name of an image. */
  host: string;
  /** Ends it, by its own process number. */
  close(): Promise<void>;
}

/** Starts a registry; resolves when it answers. @throws Error with the log's place where it doesn't. */
export async function startRegistry(options: RegistryOptions): Promise<Registry> {
  const dir = resolve(options.dir);
  const address = options.address ?? '127.0.0.1';
  const program = await ensureDebProgram(
    'docker-registry',
    'usr/bin/docker-registry',
    options.progress ?? silent,
  );
  await endServices(dir);
  await mkdir(join(dir, 'data'), { recursive: true });
  const port = options.port ?? (await freePorts(address, 1))[0] ?? 0;
  const host = `${address}:${port}`;
  const config = {
    version: '0.1',
    log: { level: 'warn' },
    storage: { filesystem: { rootdirectory: join(dir, 'data') }, delete: { enabled: true } },
    http: { addr: host },
  };
  await writeFile(join(dir, 'config.yml'), JSON.stringify(config, null, 2));
  const id = await startService(dir, 'docker-registry', [program, 'serve', join(dir, 'config.yml')]);
  const url = `http://${host}`;
  const ready = await waitUntil(async () => {
    if (!isAlive(id)) return false;
    return await fetch(`${url}/v2/`, { signal: AbortSignal.timeout(1000) }).then(
      (response) => response.ok,
      () => false,
    );
  }, 10_000);
  if (!ready) {
    await endServices(dir);
    throw new Error(`The OCI registry doesn't answer at ${url}; see ${join(dir, 'docker-registry.log')}.`);
  }
  return { url, host, close: async () => await endServices(dir) };
}
