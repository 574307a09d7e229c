/** Runs the steps of a check one after another: a line for each, its output only when it failed. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';

export const root: string = join(import.meta.dirname, '..');

export interface Step {
  name: string;
  command: string;
  args: readonly string[];
  env?: Readonly<Record<string, string>>;
  /** Shows its output while it runs; without it, output is kept and shown only when the step fails. */
  live?: boolean;
}

/** Runs all steps, also after a failed one; returns the names of those that failed. */
export async function runSteps(steps: readonly Step[]): Promise<string[]> {
  const failed: string[] = [];
  for (const step of steps) {
    const started = performance.now();
    if (step.live) console.log(`- ${step.name} ...`);
    const { status, output } = await run(step);
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    if (status === 0) {
      console.log(`- ${step.name}: ok, ${seconds} s`);
    } else {
      console.log(`- ${step.name}: FAILED after ${seconds} s`);
      if (output) console.log(output.trimEnd());
      failed.push(step.name);
    }
  }
  return failed;
}

function run(step: Step): Promise<{ status: number; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(step.command, step.args, {
      cwd: root,
      env: { ...process.env, ...step.env },
      stdio: step.live ? ['ignore', 'inherit', 'inherit'] : ['ignore', 'pipe', 'pipe'],
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
