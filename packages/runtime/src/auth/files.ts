import { readFile } from 'node:fs/promises';
import type { Clock } from '../clock/clock.ts';

/** A file's text, read again from time to time. */
export interface FileText {
  /** Trimmed. Rejects where the file can't be read and never could. */
  read(): Promise<string>;
  /** The next `read` looks at the file. */
  forget(): void;
}

/** Kubelets renew a pod's token when a fifth of its life (an hour as a rule) is left; client-go looks every minute, too. */
const rereadMs = 60_000;

export function fileText(path: string, clock: Pick<Clock, 'monotonic'>): FileText {
  let text: Promise<string> | undefined;
  let readAt = 0;
  const load = async (last: Promise<string> | undefined): Promise<string> => {
    try {
      return (await readFile(path, 'utf8')).trim();
    } catch (error) {
      // While it is being swapped what we had is better than nothing.
      if (last !== undefined) return last;
      throw error;
    }
  };
  return {
    read() {
      if (text === undefined || clock.monotonic() - readAt >= rereadMs) {
        readAt = clock.monotonic();
        const next = load(text);
        text = next;
        next.catch(() => {
          if (text === next) text = undefined;
        });
      }
      return text;
    },
    forget() {
      readAt = -Infinity;
    },
  };
}
