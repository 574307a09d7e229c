import type { Clock } from '../clock/clock.ts';

/** A bucket of tokens per key. */
export interface TokenBuckets {
  /** True, and a token less, where there was one. */
  take(key: string): boolean;
}

/** Each starts with `burst` tokens and gets one back every `refillMs`. At most `keys` are remembered. */
export function tokenBuckets(options: {
  readonly burst: number;
  readonly refillMs: number;
  readonly keys: number;
  readonly clock: Pick<Clock, 'monotonic'>;
}): TokenBuckets {
  const buckets = new Map<string, { readonly tokens: number; readonly at: number }>();
  return {
    take(key) {
      const now = options.clock.monotonic();
      const old = buckets.get(key) ?? { tokens: options.burst, at: now };
      const tokens = Math.min(options.burst, old.tokens + (now - old.at) / options.refillMs);
      const taken = tokens >= 1;
      // Put at the end, so that the first is the one not asked for the longest.
      buckets.delete(key);
      buckets.set(key, { tokens: taken ? tokens - 1 : tokens, at: now });
      if (buckets.size > options.keys) {
        const [oldest] = buckets.keys();
        if (oldest !== undefined) buckets.delete(oldest);
      }
      return taken;
    },
  };
}
