/** Time, as the agent needs it; a test turns it by hand. */
export interface Clock {
  /** Epoch milliseconds. */
  now(): number;
  /** Resolves after this many milliseconds; rejects when the signal is given. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}
