import { readFile, readlink, stat } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';

import type { DigestCache } from './files/digests.ts';
import { hasCode, isMissing } from './files/rooted-paths.ts';

/** The fields of /proc/PID/stat that the agent needs. */
export interface ProcessStat {
  /** R, S, D, T (stopped), Z (dead, not yet waited for)... */
  readonly state: string;
  readonly parent: number;
  /** Ticks after boot: with the process ID it names one process for good, since IDs are used again. */
  readonly startTicks: string;
}

/** undefined if there is no such process. */
export async function processStat(pid: number): Promise<ProcessStat | undefined> {
  let text: string;
  try {
    text = await readFile(`/proc/${pid}/stat`, 'latin1');
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
  // The name stands in brackets and may hold anything, brackets and spaces included.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return { state: fields[0] ?? '', parent: Number(fields[1]), startTicks: fields[19] ?? '' };
}

/** What systemd itself runs, for a moment, in a process that it has made and that is to become a service's. */
const systemd = /\/lib\/systemd\/systemd(-executor)?$/;
const becomesTries = 50;
const becomesMs = 20;

/**
 * The digest of what a process really runs, which may have been replaced or deleted on disk since. undefined where that cannot be said:
 * the process ended, or did not become what its unit says within a second.
 */
export async function executableDigest(pid: number, cache: DigestCache): Promise<string | undefined> {
  const link = `/proc/${pid}/exe`;
  try {
    for (let tries = 0; systemd.test(await readlink(link)); tries++) {
      if (tries === becomesTries) return undefined;
      await delay(becomesMs);
    }
    const entry = await stat(link, { bigint: true });
    return await cache.digest(link, entry);
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

/** The process ended, or is a kernel thread or a zombie, which have no executable. */
function isGone(error: unknown): boolean {
  return isMissing(error) || hasCode(error, 'ESRCH');
}

/** One of the boot's own names; differs after every boot. */
export async function bootID(): Promise<string> {
  return (await readFile('/proc/sys/kernel/random/boot_id', 'latin1')).trim();
}
