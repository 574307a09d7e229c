import { readFile } from 'node:fs/promises';
import type { MachineComponent as ComponentObject, MachineComponentSet as SetObject } from '@kubenode/api';
import { MachineComponent, MachineComponentSet } from '@kubenode/machine';
import type { Applied, Client, Kind, KubeObject } from '@kubenode/runtime';
import { CommandError } from '../command.ts';

export interface Manifest {
  readonly sets: readonly SetObject[];
  readonly revisions: readonly ComponentObject[];
}

const fieldManager = 'kubenode-plan';

/**
 * Sets and revisions of a manifest as the API server would store them, defaults and all: it checks them, and stores nothing.
 * @throws CommandError where the file cannot be read
 */
export async function readManifest(client: Client, file: string, signal: AbortSignal): Promise<Manifest> {
  const { parseAllDocuments } = await import('yaml');
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new CommandError(`${file} cannot be read: ${(error as Error).message}`, { cause: error });
  });
  const documents = parseAllDocuments(text);
  const found = 'empty' in documents ? [] : documents;
  const broken = found.flatMap(({ errors }) => errors)[0];
  if (broken !== undefined) throw new CommandError(`${file}: ${broken.message}`);
  const objects = found.map((document) => document.toJS() as KubeObject | null);
  const checked = async <T extends KubeObject>(kind: Kind<T>): Promise<T[]> => {
    const own = objects.filter((object): object is KubeObject => object?.kind === kind.kind);
    return Promise.all(
      own.map((object) =>
        client.apply(kind, object as unknown as Applied<T>, {
          fieldManager,
          force: true,
          dryRun: true,
          signal,
        }),
      ),
    );
  };
  return { sets: await checked(MachineComponentSet), revisions: await checked(MachineComponent) };
}
