/** Runs the steps of a check: a line for each, its output only when it failed, or as the step says. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';

export const root: string = join(import.meta.dirname, '..');

export interface Step {
  name: string;
  command: string;
  args: readonly string[];
  env?: Readonly<Record<string, string>>;
  /** When its output is shown: while it runs, when it has ended, or (the default) only when it has failed. */
  output?: 'live' | 'after';
}

/** Runs all steps, also after a failed one; returns the names of those that failed. @param atOnce how many run side by side */
export async function runSteps(steps: readonly Step[], atOnce = 1): Promise<string[]> {
  const failed: string[] = [];
  const waiting = [...steps];
  const work = async (): Promise<void> => {
    for (let step = waiting.shift(); step !== undefined; step = waiting.shift())
      if (!(await runStep(step))) failed.push(step.name);
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return failed;
}

async function runStep(step: Step): Promise<boolean> {
  const started = performance.now();
  if (step.output !== undefined) console.log(`- ${step.name} ...`);
  const { status, output } = await run(step);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(`- ${step.name}: ${status === 0 ? `ok, ${seconds} s` : `FAILED after ${seconds} s`}`);
  if (output && (status !== 0 || step.output === 'after')) console.log(output.trimEnd());
  return status === 0;
}

function run(step: Step): Promise<{ status: number; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(step.command, step.args, {
      cwd: root,
      env: { ...process.env, ...step.env },
      stdio: step.output === 'live' ? ['ignore', 'inherit', 'inherit'] : ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    child.stdout?.on('data', (data: Buffer) => (output += data.toString()));
    child.stderr?.on('data', (data: Buffer) => (output += data.toString()));
    child.on('error', reject);
    child.on('close', (code) => resolve({ status: code ?? 1, output }));
  });
}

/** A program that a development dependency brings. */
export function tool(name: string): string {
  return join(root, 'node_modules', '.bin', name);
}
