/** `.kubenode/`: what is kept from one start to the next, and who uses it now. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';

export interface DemoState {
  readonly hosts: 'systemd' | 'local';
  readonly count: number;
  /** Ports are kept, since agents know them. */
  readonly apiserverPort: number;
  readonly artifactsPort: number;
}

export class StateFolder {
  readonly path: string;

  constructor(path: string) {
    this.path = resolve(path);
  }

  at(...parts: string[]): string {
    return join(this.path, ...parts);
  }

  read(): DemoState | undefined {
    const file = this.at('demo.json');
    return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as DemoState) : undefined;
  }

  write(state: DemoState): void {
    writeFileSync(this.at('demo.json'), `${JSON.stringify(state, undefined, 2)}\n`);
  }

  /** @throws Error where another `npm start` uses the folder. */
  async lock(): Promise<void> {
    mkdirSync(this.path, { recursive: true, mode: 0o700 });
    const file = this.at('pid');
    const pid = existsSync(file) ? Number(readFileSync(file, 'utf8')) : undefined;
    if (pid !== undefined && pid !== process.pid && (await isDemo(pid)))
      throw new Error(
        `npm start runs here already (process ${pid}): end that one first, or use another folder`,
      );
    writeFileSync(file, `${process.pid}\n`);
  }

  unlock(): void {
    rmSync(this.at('pid'), { force: true });
  }
}

/** A number may have gone to another program since: the command line tells. */
async function isDemo(pid: number): Promise<boolean> {
  try {
    return (await readFile(`/proc/${pid}/cmdline`, 'utf8')).includes('demo/src/main.ts');
  } catch {
    return false;
  }
}
