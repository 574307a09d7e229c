import { runCommand } from '../command.ts';
import { logEnds } from '../../words.ts';
import { ServiceError } from '../errors.ts';
import type { SystemdBus } from './bus.ts';
import { text } from './message.ts';

const logLines = 8;
const logTimeoutMs = 5_000;

/** The error of a job that did not end well: how the unit's process ended, and the last it said. */
export async function explainFailure(
  bus: SystemdBus,
  job: { readonly unit: string; readonly verb: string; readonly result: string; readonly timeoutMs: number },
): Promise<ServiceError> {
  const { unit, verb, result } = job;
  if (result === 'late') {
    const message = `${verb} of ${unit} is still under way after ${job.timeoutMs / 1000} s`;
    return new ServiceError(unit, 'timeout', message + (await lastWords(bus, unit)), { retriable: true });
  }
  const ended = unit.endsWith('.service') ? await howItEnded(bus, unit) : '';
  const hints: Readonly<Record<string, string>> = {
    dependency: 'a unit that it requires did not start',
    canceled: 'another job took its place',
    assert: 'an Assert...= of the unit does not hold',
    skipped: 'a Condition...= of the unit does not hold, so systemd skipped it',
  };
  const why = hints[result] ?? ended;
  return new ServiceError(
    unit,
    result,
    `${verb} of ${unit}: ${result}${why === '' ? '' : `, ${why}`}${await lastWords(bus, unit)}`,
  );
}

async function howItEnded(bus: SystemdBus, unit: string): Promise<string> {
  try {
    const result = text(await bus.property(unit, 'Service', 'Result'));
    const code = Number(await bus.property(unit, 'Service', 'ExecMainCode'));
    const status = Number(await bus.property(unit, 'Service', 'ExecMainStatus'));
    // CLD_EXITED, CLD_KILLED and CLD_DUMPED of waitid(2).
    if (code === 1) return `${result}, the process exited with ${status}`;
    if (code === 2 || code === 3) return `${result}, the process was ended by signal ${status}`;
    return result;
  } catch {
    // The unit is gone meanwhile; the job's result is all there is.
    return '';
  }
}

/** The last lines of the unit's log between two times, epoch milliseconds. */
export async function logEnd(unit: string, since: number, until?: number): Promise<string> {
  const { exitCode, output } = await runCommand('', {
    command: [
      'journalctl',
      '--quiet',
      '--no-pager',
      '--output=cat',
      // Without it `--since` makes of `--lines` the first ones, and not the last (systemd 252).
      '--reverse',
      `--lines=${logLines}`,
      `--unit=${unit}`,
      `--since=@${Math.floor(since / 1000)}`,
      ...(until === undefined ? [] : [`--until=@${until / 1000}`]),
    ],
    timeoutMs: logTimeoutMs,
  });
  return exitCode === 0 ? output.trim().split('\n').toReversed().join('\n') : '';
}

/** What it has said since it began to start last. */
async function lastWords(bus: SystemdBus, unit: string): Promise<string> {
  const startedUs = await bus.property(unit, 'Unit', 'InactiveExitTimestamp').catch(() => 0);
  return logEnds(unit, await logEnd(unit, Number(startedUs) / 1000));
}
