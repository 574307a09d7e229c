import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/**
 * Keeps other processes out of a data folder. The lock is the operating system's, on a file, so it ends with the
 * process however that ends. Returns what ends it sooner.
 * @throws Error when another process has it.
 */
export function lock(dataDir: string): () => void {
  const database = new DatabaseSync(join(dataDir, 'lock'));
  try {
    database.exec('PRAGMA busy_timeout = 0; BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    throw new Error(
      `${dataDir} is in use by another API server: stop that one first, or take another data directory`,
      { cause: error },
    );
  }
  return () => database.close();
}
