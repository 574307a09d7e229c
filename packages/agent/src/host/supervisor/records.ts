import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';

import { replaceFile } from '../files/atomic.ts';
import { isMissing } from '../files/rooted-paths.ts';
import { bootID, processStat } from '../process.ts';

/** One main process, told from any later one with the same ID. */
export interface ProcessIdentity {
  readonly pid: number;
  readonly startTicks: string;
}

/** What is known on disk of a unit that runs, for the agent that comes after this one. */
export interface UnitRecord {
  readonly unit: string;
  readonly bootID: string;
  /** Absent for a oneshot that remains after its exit. */
  readonly process?: ProcessIdentity;
  /** Epoch milliseconds. */
  readonly startedAt: number;
}

/** Records of running units, a file each. Those of an earlier boot say nothing any more. */
export class UnitRecords {
  readonly #folder: string;

  /** `folder` is a path of this machine. */
  constructor(folder: string) {
    this.#folder = folder;
  }

  async save(record: Omit<UnitRecord, 'bootID'>): Promise<void> {
    const text = JSON.stringify({ ...record, bootID: await bootID() });
    await replaceFile(this.#file(record.unit), { mode: 0o600, owner: undefined }, text);
  }

  async remove(unit: string): Promise<void> {
    await rm(this.#file(unit), { force: true });
  }

  async load(): Promise<readonly UnitRecord[]> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const boot = await bootID();
    const records: UnitRecord[] = [];
    for (const name of await readdir(this.#folder)) {
      if (!name.endsWith('.json') || name.startsWith('.')) continue;
      const record = parse(await readFile(path.join(this.#folder, name), 'utf8'));
      if (record?.bootID === boot) records.push(record);
      else await rm(path.join(this.#folder, name), { force: true });
    }
    return records;
  }

  #file(unit: string): string {
    return path.join(this.#folder, `${encodeURIComponent(unit)}.json`);
  }
}

function parse(text: string): UnitRecord | undefined {
  try {
    return JSON.parse(text) as UnitRecord;
  } catch {
    // Written by rename, so only a damaged disk leaves half of one; the processes themselves are found by their mark.
    return undefined;
  }
}

/** Whether that very process still runs; one that is dead and not waited for does not. */
export async function isAlive(identity: ProcessIdentity): Promise<boolean> {
  const stat = await processStat(identity.pid);
  return (
    stat !== undefined && stat.startTicks === identity.startTicks && stat.state !== 'Z' && stat.state !== 'X'
  );
}

/** Stands in the environment of every supervised process: finds one whose record was never written, and what it left behind. */
export const unitMark = 'KUBENODE_UNIT';

export interface MarkedProcess extends ProcessIdentity {
  readonly unit: string;
  readonly parent: number;
  readonly command: readonly string[];
}

/** Processes on this machine that carry the mark of this root. Those of other users cannot be seen and are not ours. */
export async function markedProcesses(root: string): Promise<readonly MarkedProcess[]> {
  const found: MarkedProcess[] = [];
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name) || Number(name) === process.pid) continue;
    const environment = (await readProc(name, 'environ')).split('\0');
    const mark = environment.find((entry) => entry.startsWith(`${unitMark}=`));
    if (mark === undefined || !environment.includes(`KUBENODE_ROOT=${root}`)) continue;
    const stat = await processStat(Number(name));
    if (stat === undefined || stat.state === 'Z') continue;
    const command = (await readProc(name, 'cmdline')).split('\0').slice(0, -1);
    found.push({
      unit: mark.slice(unitMark.length + 1),
      pid: Number(name),
      startTicks: stat.startTicks,
      parent: stat.parent,
      command,
    });
  }
  return found;
}

async function readProc(pid: string, file: string): Promise<string> {
  try {
    return await readFile(`/proc/${pid}/${file}`, 'utf8');
  } catch (error) {
    // Ended meanwhile, or another user's.
    if (isMissing(error) || (error instanceof Error && 'code' in error)) return '';
    throw error;
  }
}
