import type { HostFiles } from '../ports.ts';
import type { GoalFile } from '../plan/goal.ts';

type Ids = ReadonlyMap<string, number>;
/** Users and groups of the host, from its own files. */
export interface Owners {
  readonly users: Ids;
  readonly groups: Ids;
}

export async function readOwners(files: HostFiles): Promise<Owners> {
  return { users: await readIds(files, '/etc/passwd'), groups: await readIds(files, '/etc/group') };
}

async function readIds(files: HostFiles, path: string): Promise<Ids> {
  const ids = new Map<string, number>();
  if ((await files.state(path)) === undefined) return ids;
  for (const line of (await files.read(path)).toString('utf8').split('\n')) {
    const [name, , id] = line.split(':');
    if (name !== undefined && id !== undefined) ids.set(name, Number(id));
  }
  return ids;
}

/** The files with the ids that their owners stand for; an owner who is not known on the host (yet) is not compared. */
export function withIds(files: readonly GoalFile[], owners: Owners): readonly GoalFile[] {
  return files.map((file) => {
    if (file.ids !== undefined || file.owner === undefined) return file;
    const [user = '', group = user] = file.owner.split(':');
    const uid = idOf(user, owners.users);
    const gid = idOf(group, owners.groups);
    return uid === undefined || gid === undefined ? file : { ...file, ids: { uid, gid } };
  });
}

function idOf(name: string, ids: Ids): number | undefined {
  return ids.get(name) ?? (/^\d+$/.test(name) && ids.size > 0 ? Number(name) : undefined);
}
