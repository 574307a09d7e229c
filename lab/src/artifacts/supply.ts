import { access, mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type LoadedExamples, type LoadExamplesOptions, loadExamples, readdress } from '../examples/load.ts';
import { ensureBuilt, isBuilt, missingForBuilds } from '../go/build.ts';
import { waitUntil } from '../system/processes.ts';
import { type Progress, silent } from '../system/progress.ts';
import { endServices, startService } from '../system/services.ts';
import { type FileServer, startFileServer } from './file-server.ts';
import { pushComponentImage } from './image.ts';
import { type Registry, startRegistry } from './registry.ts';
import { packTarGz } from './tar.ts';

/** How the examples' sources are served. */
export interface SupplyOptions extends Pick<LoadExamplesOptions, 'only' | 'progress'> {
  /** A lab's `dir`, or any folder of its own: `artifacts/` and `registry/` are made in it. */
  dir: string;
  /** A lab's `address` (default 127.0.0.1). Other addresses than the committed ones are put into the manifests as needed. */
  address?: string;
  /** Whether hosts know this machine as artifacts.lab and registry.lab: default true where an `address` is given. Then ports are 80 and 5000. */
  named?: boolean;
}

/** Everything the examples need, served, and the manifests that name it. */
export interface Supply {
  examples: LoadedExamples;
  /** Absent where nothing that is loaded comes from a registry. */
  registry?: Registry;
  /** Ends both servers. */
  close(): Promise<void>;
}

/** Serves all that the examples need in this process (registry apart, which is one of its own): for tests, which can make it misbehave. */
export async function supplyExamples(options: SupplyOptions): Promise<Supply & { fileServer: FileServer }> {
  const address = options.address ?? '127.0.0.1';
  const named = options.named ?? options.address !== undefined;
  const examples = await loadExamples(optionsOf(options));
  const folder = join(options.dir, 'artifacts');
  await mkdir(folder, { recursive: true });
  const fileServer = await startFileServer({ dir: folder, address, port: named ? 80 : 0 });
  try {
    const registry = await publish(examples, folder, { ...options, address, named });
    if (!named)
      readdress(examples, {
        filesUrl: fileServer.url,
        ...(registry === undefined ? {} : { registryHost: registry.host }),
      });
    const close = async (): Promise<void> => {
      await fileServer.close();
      await registry?.close();
    };
    return { examples, fileServer, close, ...(registry === undefined ? {} : { registry }) };
  } catch (error) {
    await fileServer.close();
    await endServices(join(options.dir, 'registry'));
    throw error;
  }
}

/** The same with a file server that lives on when this process ends, as the registry does: for `lab up`. Hosts know both by name. */
export async function supplyExamplesDetached(options: SupplyOptions & { address: string }): Promise<Supply> {
  const { dir, address } = options;
  const examples = await loadExamples(optionsOf(options));
  const folder = join(dir, 'artifacts');
  await endServices(folder);
  const files = join(folder, 'files');
  await mkdir(files, { recursive: true });
  const registry = await publish(examples, files, { ...options, named: true });
  const program = fileURLToPath(new URL('./serve.ts', import.meta.url));
  await startService(folder, 'file-server', [
    process.execPath,
    '--disable-warning=ExperimentalWarning',
    program,
    files,
    address,
    '80',
  ]);
  const answers = await waitUntil(
    async () =>
      await fetch(`http://${address}/`, { signal: AbortSignal.timeout(1000) }).then(
        () => true,
        () => false,
      ),
    10_000,
  );
  if (!answers)
    throw new Error(`The file server doesn't answer at ${address}; see ${join(folder, 'file-server.log')}.`);
  const close = async (): Promise<void> => {
    await endServices(folder);
    await registry?.close();
  };
  return { examples, close, ...(registry === undefined ? {} : { registry }) };
}

function optionsOf(options: SupplyOptions): LoadExamplesOptions {
  return {
    ...(options.only === undefined ? {} : { only: options.only }),
    ...(options.progress === undefined ? {} : { progress: options.progress }),
  };
}

/** Puts the examples' files into a file server's folder and, where there are any, their images into a registry. */
async function publish(
  examples: LoadedExamples,
  folder: string,
  options: SupplyOptions & { address: string; named: boolean },
): Promise<Registry | undefined> {
  for (const { path, file } of examples.files) {
    const place = join(folder, path);
    await mkdir(dirname(place), { recursive: true });
    await rm(place, { force: true });
    await symlink(file, place);
  }
  const progress = options.progress ?? silent;
  const withPods = examples.components.some(({ spec }) => spec.component === 'containerd');
  if (examples.images.length === 0 && !withPods) return undefined;
  const { address, named, dir } = options;
  const registry = await startRegistry({
    dir: join(dir, 'registry'),
    address,
    ...(named ? { port: 5000 } : {}),
    progress,
  });
  for (const { repository, layerFile } of examples.images)
    await pushComponentImage(registry, repository, layerFile);
  if (withPods) await publishPause(registry, progress);
  return registry;
}

/** `pause:1`, the image of pods' sandboxes and of test pods: nothing but one program. */
async function publishPause(registry: Registry, progress: Progress): Promise<void> {
  const program = { name: 'pause', module: 'pause', package: '.', version: '1' };
  if (!(await isBuilt(program)) && (await missingForBuilds()).length > 0)
    return progress('No Go here: registry.lab has no pause image, so hosts run no pods.');
  const file = await ensureBuilt(program, progress, '2 s');
  const layer = join(dirname(file), 'pause.tar.gz');
  const there = await access(layer).then(
    () => true,
    () => false,
  );
  if (!there) await writeFile(layer, await packTarGz([{ file, name: 'pause' }]));
  await pushComponentImage(registry, 'pause', layer, { tag: '1', entrypoint: ['/pause'] });
}
