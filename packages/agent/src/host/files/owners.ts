import { readFile } from 'node:fs/promises';

import { HostFileError } from '../errors.ts';
import type { RootedPaths } from './rooted-paths.ts';
import { isMissing } from './rooted-paths.ts';

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/**
 * Reads `user:group` or `user`, each a name of the host's own /etc/passwd and /etc/group or a number; without a group the user's own.
 * Names that only a directory service knows are not found: write their numbers. A local host without such files has the machine's users.
 */
export async function parseOwner(paths: RootedPaths, owner: string): Promise<Owner> {
  const [user = '', group, more] = owner.split(':');
  if (user === '' || group === '' || more !== undefined) {
    throw new HostFileError('/etc/passwd', `owner '${owner}' is not of the form user:group`);
  }
  if (owner === 'root:root' || owner === 'root') return { uid: 0, gid: 0 };
  const isNumber = /^\d+$/;
  const needsPasswd = !isNumber.test(user) || group === undefined;
  const passwd = needsPasswd ? await lookUp(paths, '/etc/passwd', user) : undefined;
  const uid = isNumber.test(user) ? Number(user) : field(passwd, 2);
  if (uid === undefined) throw unknown('user', user, owner);
  if (group === undefined) return { uid, gid: field(passwd, 3) ?? uid };
  const gid = isNumber.test(group) ? Number(group) : field(await lookUp(paths, '/etc/group', group), 2);
  if (gid === undefined) throw unknown('group', group, owner);
  return { uid, gid };
}

async function lookUp(
  paths: RootedPaths,
  file: string,
  name: string,
): Promise<readonly string[] | undefined> {
  const text =
    (await readIfThere(await paths.target(file))) ?? (paths.root === '' ? '' : await readIfThere(file)) ?? '';
  for (const line of text.split('\n')) {
    const fields = line.split(':');
    if (fields[0] === name || (/^\d+$/.test(name) && fields[2] === name)) return fields;
  }
  return undefined;
}

async function readIfThere(real: string): Promise<string | undefined> {
  try {
    return await readFile(real, 'utf8');
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

function field(fields: readonly string[] | undefined, index: number): number | undefined {
  const text = fields?.[index];
  return text === undefined || !/^\d+$/.test(text) ? undefined : Number(text);
}

function unknown(kind: string, name: string, owner: string): HostFileError {
  const file = kind === 'user' ? '/etc/passwd' : '/etc/group';
  return new HostFileError(
    file,
    `owner '${owner}': the host knows no ${kind} '${name}' (${file}): have a hook or package create it first, or write its number`,
  );
}
