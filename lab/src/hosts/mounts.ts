import { readFileSync } from 'node:fs';
import { waitUntil } from '../system/processes.ts';
import { run } from '../system/run.ts';

/** Unmounts everything at or below a folder. */
export async function unmountBelow(folder: string): Promise<void> {
  const done = await waitUntil(async () => {
    for (const mount of mountsBelow(folder)) await run(['umount', mount]).catch(() => {});
    return mountsBelow(folder).length === 0;
  }, 10_000);
  if (!done) throw new Error(`Still mounted, something uses it: ${mountsBelow(folder).join(', ')}`);
}

/** The mount points at or below a folder, the innermost first. */
export function mountsBelow(folder: string): string[] {
  const points: string[] = [];
  for (const line of readFileSync('/proc/self/mountinfo', 'utf8').split('\n')) {
    const point = line.split(' ')[4]?.replaceAll('\\040', ' ');
    if (point === folder || point?.startsWith(`${folder}/`)) points.unshift(point);
  }
  return points;
}
