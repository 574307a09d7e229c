import { spawn } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { once } from 'node:events';
import type { Progress } from './progress.ts';

/**
 * Runs a step while holding an exclusive lock on a file, so that two runs don't build the same thing at once. The lock is the kernel's
 * (flock, held by a child of this process that ends with it), so none is left behind when a run is killed.
 */
export async function withLock<T>(file: string, progress: Progress, step: () => Promise<T>): Promise<T> {
  await mkdir(dirname(file), { recursive: true });
  // The child says so on its output once it has the lock, and gives it up when its input ends: also when this process is killed.
  const holder = spawn('flock', [file, 'sh', '-c', 'echo held; exec cat >/dev/null'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = once(holder, 'close');
  const waiting = setTimeout(
    () => progress(`Waiting for another run that is at the same work (${file}) ...`),
    1500,
  );
  try {
    await Promise.race([
      once(holder.stdout, 'data'),
      ended.then(() => {
        throw new Error(`flock could not lock ${file}.`);
      }),
      once(holder, 'error').then(([error]: unknown[]) => {
        throw new Error(`flock cannot be run (${String(error)}): it is in Debian's package util-linux.`);
      }),
    ]);
  } finally {
    clearTimeout(waiting);
  }
  try {
    return await step();
  } finally {
    holder.stdin.end();
    await ended;
  }
}
