import type { BigIntStats } from 'node:fs';

/**
 * A file that has just changed may change again with the same times, so what was read of it then is not remembered: within some ticks of
 * the kernel's clock (10 ms at most) where the file system keeps times that finely, within some seconds where it does not (ext3 keeps
 * seconds, FAT every second one).
 */
const settledAfterMs = { fine: 50, coarse: 3_000 };

/** Whether another change of the file would show in its times. @param now epoch milliseconds */
export function isSettled({ ctimeMs, ctimeNs }: BigIntStats, now: number): boolean {
  const isFine = ctimeNs % 1_000_000n !== 0n;
  return now - Number(ctimeMs) >= (isFine ? settledAfterMs.fine : settledAfterMs.coarse);
}
