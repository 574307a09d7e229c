import { mkdir, open, rm } from 'node:fs/promises';
import path from 'node:path';

import type { RunRequest, RunResult } from '../../ports.ts';
import { findProgram, outputLimit } from '../command.ts';
import { ServiceError } from '../errors.ts';
import { hasCode } from '../files/rooted-paths.ts';
import type { SystemdBus } from './bus.ts';
import { DBusError } from './connection.ts';
import { runJob } from './jobs.ts';
import { text } from './message.ts';
import { Variant } from './signature.ts';
import type { DBusValue } from './signature.ts';

/** Output stands in memory-backed /run, where a hook cannot fill the host's disk with it for good. */
const outputFolder = '/run/kubenode/output';
/** After the deadline's SIGTERM, how long until SIGKILL. */
const stopTimeoutMs = 5_000;
/** Beyond the unit's own deadlines, before systemd itself is given up on. */
const graceMs = 15_000;

export interface TransientRequest extends Omit<RunRequest, 'isolation'> {
  /** Whole name with .service. While a unit of this name runs, the next of that name waits for its end. */
  readonly name: string;
  readonly description: string;
  /** Host paths that the command does not see. Missing ones are no error. */
  readonly hidden: readonly string[];
  readonly memoryMaxBytes?: number;
  readonly tasksMax?: number;
  /** Of each process by itself: for hosts whose cgroups hold no limits. */
  readonly dataMaxBytes?: number;
}

/** Runs a command as a unit of its own, without a shell: it has its own cgroup and survives the agent. */
export async function runTransient(bus: SystemdBus, request: TransientRequest): Promise<RunResult> {
  const [name = '', ...args] = request.command;
  const program = await findProgram('', name);
  if (program === undefined)
    return { exitCode: 127, timedOut: false, output: `command '${name}' is not on this host` };
  await mkdir(outputFolder, { recursive: true, mode: 0o700 });
  const output = path.join(outputFolder, request.name);
  await rm(output, { force: true });
  try {
    const command: DBusValue = [[program, [name, ...args], false]];
    const result = await startOnce(bus, request, properties(request, command, output));
    return await outcome(bus, request, result, output);
  } finally {
    await rm(output, { force: true });
  }
}

function properties(request: TransientRequest, command: DBusValue, output: string): DBusValue {
  const environment = Object.entries(request.env ?? {}).map(([key, value]) => `${key}=${value}`);
  const all: [string, Variant][] = [
    ['Description', new Variant('s', request.description)],
    ['Type', new Variant('s', 'oneshot')],
    ['RemainAfterExit', new Variant('b', false)],
    ['ExecStart', new Variant('a(sasb)', command)],
    ['TimeoutStartUSec', new Variant('t', microseconds(request.timeoutMs))],
    ['TimeoutStopUSec', new Variant('t', microseconds(stopTimeoutMs))],
    ['Environment', new Variant('as', ['LANG=C.UTF-8', 'HOME=/root', 'KUBENODE_ROOT=', ...environment])],
    ['StandardInput', new Variant('s', 'null')],
    // Appending to a file just removed: "truncate" is missing in systemd before 248.
    ['StandardOutputFileToAppend', new Variant('s', output)],
    ['StandardErrorFileToAppend', new Variant('s', output)],
    [
      'InaccessiblePaths',
      new Variant(
        'as',
        request.hidden.map((hidden) => `-${hidden}`),
      ),
    ],
  ];
  if (request.memoryMaxBytes !== undefined)
    all.push(['MemoryMax', new Variant('t', BigInt(request.memoryMaxBytes))]);
  if (request.dataMaxBytes !== undefined)
    all.push(['LimitDATA', new Variant('t', BigInt(request.dataMaxBytes))]);
  if (request.tasksMax !== undefined) all.push(['TasksMax', new Variant('t', BigInt(request.tasksMax))]);
  return all;
}

/** One that an agent before us started may still run: its end is awaited, and what it left behind is cleared. */
async function startOnce(bus: SystemdBus, request: TransientRequest, settings: DBusValue): Promise<string> {
  const deadline = Date.now() + request.timeoutMs + stopTimeoutMs + graceMs;
  const start = {
    method: 'StartTransientUnit',
    signature: 'ssa(sv)a(sa(sv))',
    body: [request.name, 'fail', settings, []],
  };
  for (;;) {
    try {
      return await runJob(bus, request.name, start, deadline - Date.now());
    } catch (error) {
      if (!(error instanceof DBusError) || !error.errorName.endsWith('.UnitExists')) throw error;
      if (Date.now() >= deadline) {
        throw new ServiceError(
          request.name,
          'late',
          `${request.description}: an earlier run of it still goes on in ${request.name}`,
          {
            retriable: true,
            cause: error,
          },
        );
      }
    }
    await settle(bus, request.name);
  }
}

async function settle(bus: SystemdBus, unit: string): Promise<void> {
  const state = text(await bus.property(unit, 'Unit', 'ActiveState'));
  if (state === 'failed') await bus.manager('ResetFailedUnit', 's', [unit]);
  else await new Promise((resolve) => setTimeout(resolve, 500));
}

async function outcome(
  bus: SystemdBus,
  request: TransientRequest,
  job: string,
  output: string,
): Promise<RunResult> {
  const tail = await readTail(output);
  if (job === 'done') return { exitCode: 0, timedOut: false, output: tail };
  if (job === 'late') {
    await bus.manager('KillUnit', 'ssi', [request.name, 'all', 9]);
    return { exitCode: 128, timedOut: true, output: tail };
  }
  // A failed unit stays until its failure is reset, so there is time to ask how it ended.
  const result = text(await bus.property(request.name, 'Service', 'Result'));
  const status = Number(await bus.property(request.name, 'Service', 'ExecMainStatus'));
  await bus.manager('ResetFailedUnit', 's', [request.name]);
  const why = result === 'exit-code' || result === 'timeout' ? '' : `\nended by systemd: ${result}`;
  return {
    exitCode: result === 'exit-code' ? status : 128,
    timedOut: result === 'timeout',
    output: tail + why,
  };
}

async function readTail(file: string): Promise<string> {
  try {
    const handle = await open(file, 'r');
    try {
      const { size } = await handle.stat();
      const buffer = Buffer.alloc(Math.min(size, outputLimit));
      await handle.read(buffer, 0, buffer.length, size - buffer.length);
      return buffer.toString('utf8');
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return '';
    throw error;
  }
}

function microseconds(ms: number): bigint {
  return BigInt(Math.round(ms)) * 1000n;
}
