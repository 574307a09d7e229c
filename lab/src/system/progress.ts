/** Told one line for people at a time, without a line break. */
export type Progress = (line: string) => void;

/** Says nothing. */
export const silent: Progress = () => {};

/** Runs a step and tells when it is done and how long it took, where that was more than a second. */
export async function timed<T>(progress: Progress, what: string, step: () => Promise<T>): Promise<T> {
  const started = performance.now();
  progress(`${what} ...`);
  const result = await step();
  const seconds = (performance.now() - started) / 1000;
  if (seconds > 1) progress(`${what}: done in ${seconds.toFixed(seconds < 10 ? 1 : 0)} s`);
  return result;
}
