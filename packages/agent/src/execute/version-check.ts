import type { ServiceManager } from '../ports.ts';

const timeoutMs = 30_000;

export type FoundVersion =
  | { readonly version: string }
  | { readonly version: undefined; readonly problem: string };

/** Runs a version command and takes the version out of what it says. */
export async function findVersion(
  check: { readonly command: readonly string[]; readonly pattern: string },
  services: Pick<ServiceManager, 'run'>,
): Promise<FoundVersion> {
  const command = check.command.join(' ');
  const { exitCode, timedOut, output } = await services.run({
    command: check.command,
    timeoutMs,
    isolation: 'plain',
  });
  if (timedOut) return { version: undefined, problem: `${command} did not end within ${timeoutMs / 1000} s` };
  if (exitCode !== 0)
    return {
      version: undefined,
      problem: `${command} ended with exit status ${exitCode}: ${output.trim().slice(-200)}`,
    };
  let match: RegExpExecArray | null;
  try {
    match = new RegExp(check.pattern, 'm').exec(output);
  } catch {
    return {
      version: undefined,
      problem: `spec.versionCheck.pattern ${check.pattern} is no regular expression`,
    };
  }
  const version = match?.[1] ?? match?.[0];
  return version === undefined
    ? {
        version: undefined,
        problem: `${command} says nothing that fits ${check.pattern}: ${output.trim().slice(0, 200)}`,
      }
    : { version };
}
