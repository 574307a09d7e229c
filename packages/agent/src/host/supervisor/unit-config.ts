import { readSection } from '../unit-files.ts';
import type { CommandLine } from './command-line.ts';
import { expandSpecifiers, parseCommandLine, UnitSyntaxError } from './command-line.ts';

/** The settings of a service that the built-in supervisor honours; the rest (limits, sandboxing, ordering) is left to systemd. */
export interface UnitConfig {
  readonly type: 'simple' | 'oneshot';
  readonly start: readonly CommandLine[];
  readonly startPre: readonly CommandLine[];
  readonly reload: readonly CommandLine[];
  readonly stop: readonly CommandLine[];
  readonly environment: Readonly<Record<string, string>>;
  /** Host paths; those marked optional may be missing. */
  readonly environmentFiles: readonly { readonly path: string; readonly optional: boolean }[];
  readonly workingDirectory: string | undefined;
  readonly user: string | undefined;
  readonly group: string | undefined;
  readonly restart: 'no' | 'always' | 'on-success' | 'on-failure' | 'on-abnormal';
  readonly restartMs: number;
  readonly stopTimeoutMs: number;
  readonly killMode: 'control-group' | 'mixed' | 'process' | 'none';
  readonly killSignal: NodeJS.Signals;
  readonly remainAfterExit: boolean;
  readonly specifiers: Readonly<Record<string, string>>;
}

const killModes = ['control-group', 'mixed', 'process', 'none'] as const;
/** systemd's defaults. */
const defaultRestartMs = 100;
const defaultStopMs = 90_000;

/** Reads a service's settings from its file and drop-ins. Throws UnitSyntaxError, which names the setting. */
export function parseUnit(unit: string, texts: readonly string[]): UnitConfig {
  const values = readSection(texts, 'Service');
  const last = (key: string): string | undefined => values.get(key)?.at(-1);
  const specifiers = unitSpecifiers(unit);
  const commands = (key: string): readonly CommandLine[] =>
    (values.get(key) ?? []).map((text) => named(key, () => parseCommandLine(text)));
  const type = last('Type') ?? 'simple';
  if (type === 'forking' || type === 'dbus') {
    throw new UnitSyntaxError(
      `Type=${type} is not supported by the built-in supervisor: use simple, exec, notify or oneshot`,
    );
  }
  const start = commands('ExecStart');
  if (start.length === 0) throw new UnitSyntaxError('ExecStart= is missing');
  if (start.length > 1 && type !== 'oneshot')
    throw new UnitSyntaxError('more than one ExecStart= is only allowed with Type=oneshot');
  return {
    type: type === 'oneshot' ? 'oneshot' : 'simple',
    start,
    startPre: commands('ExecStartPre'),
    reload: commands('ExecReload'),
    stop: commands('ExecStop'),
    environment: parseEnvironment(values.get('Environment') ?? [], specifiers),
    environmentFiles: (values.get('EnvironmentFile') ?? []).map((text) => ({
      path: expandSpecifiers(text.replace(/^-/, ''), specifiers),
      optional: text.startsWith('-'),
    })),
    workingDirectory: last('WorkingDirectory')?.replace(/^-/, ''),
    user: last('User'),
    group: last('Group'),
    restart: parseRestart(last('Restart') ?? 'no'),
    restartMs: parseTime('RestartSec', last('RestartSec'), defaultRestartMs),
    stopTimeoutMs: parseTime('TimeoutStopSec', last('TimeoutStopSec') ?? last('TimeoutSec'), defaultStopMs),
    killMode: killModes.find((mode) => mode === last('KillMode')) ?? 'control-group',
    killSignal: parseSignal(last('KillSignal') ?? 'SIGTERM'),
    remainAfterExit: isTrue(last('RemainAfterExit')),
    specifiers,
  };
}

/** The lines of an EnvironmentFile. */
export function parseEnvironmentFile(text: string): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const line of text.split('\n')) {
    const [, name, value = ''] = /^\s*([A-Za-z_]\w*)=(.*?)\s*$/.exec(line) ?? [];
    if (name !== undefined) environment[name] = value.replace(/^(["'])(.*)\1$/, '$2');
  }
  return environment;
}

function parseEnvironment(
  settings: readonly string[],
  specifiers: Readonly<Record<string, string>>,
): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const setting of settings) {
    for (const { text } of named('Environment', () => parseCommandLine(setting)).words) {
      const equals = text.indexOf('=');
      if (equals > 0)
        environment[text.slice(0, equals)] = expandSpecifiers(text.slice(equals + 1), specifiers);
    }
  }
  return environment;
}

function unitSpecifiers(unit: string): Readonly<Record<string, string>> {
  const [, prefix = '', instance = ''] = /^([^@]*?)(?:@(.*))?\.[^.]+$/.exec(unit) ?? [];
  return {
    n: unit,
    N: unit.replace(/\.[^.]+$/, ''),
    p: prefix,
    i: instance,
    I: instance,
    t: '/run',
    S: '/var/lib',
    C: '/var/cache',
    L: '/var/log',
  };
}

/** on-watchdog never comes up here, on-abort is part of on-abnormal. */
function parseRestart(text: string): UnitConfig['restart'] {
  if (text === 'always' || text === 'on-success' || text === 'on-failure' || text === 'on-abnormal')
    return text;
  return text === 'on-abort' ? 'on-abnormal' : 'no';
}

const unitsOfTime: Readonly<Record<string, number>> = {
  us: 0.001,
  ms: 1,
  s: 1000,
  sec: 1000,
  m: 60_000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

function parseTime(key: string, text: string | undefined, absent: number): number {
  if (text === undefined) return absent;
  if (text === 'infinity') return 2 ** 31 - 1;
  let total = 0;
  for (const part of text.matchAll(/\s*(?:(\d+(?:\.\d+)?)\s*([a-z]*)|(.+))/g)) {
    const factor = unitsOfTime[part[2] === '' ? 's' : (part[2] ?? '')];
    if (factor === undefined)
      throw new UnitSyntaxError(`${key}=${text} is not a time such as 5, 500ms or 1min 30s`);
    total += Number(part[1]) * factor;
  }
  return total;
}

function parseSignal(text: string): NodeJS.Signals {
  const signals = [
    'SIGTERM',
    'SIGINT',
    'SIGQUIT',
    'SIGKILL',
    'SIGHUP',
    'SIGUSR1',
    'SIGUSR2',
    'SIGWINCH',
  ] as const;
  const signal = signals.find((name) => name === text || name === `SIG${text}`);
  if (signal === undefined)
    throw new UnitSyntaxError(`KillSignal=${text} is not one of ${signals.join(', ')}`);
  return signal;
}

function isTrue(text: string | undefined): boolean {
  return text !== undefined && ['yes', 'true', 'on', '1'].includes(text.toLowerCase());
}

function named<T>(key: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (error instanceof UnitSyntaxError)
      throw new UnitSyntaxError(`${key}=: ${error.message}`, { cause: error });
    throw error;
  }
}
