import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { ensureDebProgram } from '../artifacts/deb-program.ts';
import { freePorts } from '../system/ports.ts';
import { isAlive, waitUntil } from '../system/processes.ts';
import { type Progress, silent } from '../system/progress.ts';
import { endServices, startService } from '../system/services.ts';

/** Something that answers with metrics. */
export interface ScrapeTarget {
  /** HOST:PORT. */
  address: string;
  /** Put on all of its series, besides `instance` (the address) and `job` (lab). */
  labels?: Readonly<Record<string, string>>;
}

/** How Prometheus is started. */
export interface PrometheusOptions {
  /** Where its data, configuration and log are: a folder of its own. */
  dir: string;
  /** Default none; `setTargets` changes them. */
  targets?: readonly ScrapeTarget[];
  /** Where it listens. Default 127.0.0.1. */
  address?: string;
  /** Seconds between two scrapes of a target. Default 1. */
  scrapeSeconds?: number;
  /** Sent with every scrape, such as `collect[]` of node-exporter. */
  parameters?: Readonly<Record<string, readonly string[]>>;
  progress?: Progress;
}

/** A real Prometheus (Debian's). It lives on when this process ends. */
export interface Prometheus {
  /** `http://ADDRESS:PORT`. */
  url: string;
  /** Scrapes these from now on. */
  setTargets(targets: readonly ScrapeTarget[]): Promise<void>;
  /** Ends it, by its own process number. */
  close(): Promise<void>;
}

/** Starts Prometheus; resolves when it is ready. @throws Error with the log's place where it isn't. */
export async function startPrometheus(options: PrometheusOptions): Promise<Prometheus> {
  const dir = resolve(options.dir);
  const address = options.address ?? '127.0.0.1';
  const program = await ensureDebProgram('prometheus', 'usr/bin/prometheus', options.progress ?? silent);
  await endServices(dir);
  await mkdir(dir, { recursive: true });
  const setTargets = (targets: readonly ScrapeTarget[]): Promise<void> => writeTargets(dir, targets);
  await setTargets(options.targets ?? []);
  const interval = `${options.scrapeSeconds ?? 1}s`;
  const lab = {
    job_name: 'lab',
    file_sd_configs: [{ files: [join(dir, 'targets.json')], refresh_interval: '5s' }],
    ...(options.parameters === undefined ? {} : { params: options.parameters }),
  };
  // JSON is YAML.
  await writeFile(
    join(dir, 'prometheus.yml'),
    JSON.stringify({
      global: { scrape_interval: interval, scrape_timeout: interval },
      scrape_configs: [lab],
    }),
  );
  const [port = 0] = await freePorts(address, 1);
  const id = await startService(dir, 'prometheus', [
    program,
    `--config.file=${join(dir, 'prometheus.yml')}`,
    `--storage.tsdb.path=${join(dir, 'data')}`,
    `--web.listen-address=${address}:${port}`,
    '--log.level=warn',
  ]);
  const url = `http://${address}:${port}`;
  const ready = await waitUntil(async () => {
    if (!isAlive(id)) return false;
    return await fetch(`${url}/-/ready`, { signal: AbortSignal.timeout(1000) }).then(
      (response) => response.ok,
      () => false,
    );
  }, 30_000);
  if (!ready) {
    await endServices(dir);
    throw new Error(`Prometheus isn't ready at ${url}; see ${join(dir, 'prometheus.log')}.`);
  }
  return { url, setTargets, close: async () => await endServices(dir) };
}

/** By a rename: Prometheus watches the file, and must never read half of it. */
async function writeTargets(dir: string, targets: readonly ScrapeTarget[]): Promise<void> {
  const groups = targets.map(({ address, labels }) => ({ targets: [address], labels: labels ?? {} }));
  const file = join(dir, 'targets.json');
  await writeFile(`${file}.tmp`, JSON.stringify(groups));
  await rename(`${file}.tmp`, file);
}
