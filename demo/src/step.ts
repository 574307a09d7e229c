import type { Screen } from '@kubenode/cli';

/** Runs a step; says so when it is done, with the seconds it took. */
export async function step<T>(
  screen: Screen,
  text: string,
  work: (progress: (line: string) => void) => Promise<T>,
): Promise<T> {
  const started = performance.now();
  screen.doing(`${text} ...`);
  const result = await work((line) => screen.doing(line.startsWith(text) ? line : `${text}: ${line}`));
  screen.quiet();
  screen.done(`${text} (${((performance.now() - started) / 1000).toFixed(1)} s)`);
  return result;
}
