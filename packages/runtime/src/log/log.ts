import type { Clock } from '../clock/clock.ts';
import { systemClock } from '../clock/clock.ts';
import { describeError, redact } from './redact.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';
/** Values that JSON can carry; an Error becomes its message. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Structured log: a constant message, and what varies in fields. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** The same log with fields that go into every line. */
  with(fields: LogFields): Logger;
}

export interface JsonLoggerOptions {
  /** Lines below it are left out. @default 'info' */
  readonly level?: LogLevel;
  /** Takes one line, newline included. @default standard error */
  readonly write?: (line: string) => void;
  readonly clock?: Pick<Clock, 'now'>;
  readonly fields?: LogFields;
}

const order: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3 };

/**
 * One JSON object per line: time, level, msg, then the fields. What looks like a secret (by the field's name, or a private key or
 * bearer token in a text) is replaced. A write that fails is dropped: a log never stops the program.
 */
export function jsonLogger(options: JsonLoggerOptions = {}): Logger {
  const least = order[options.level ?? 'info'];
  const write = options.write ?? ((line: string) => void process.stderr.write(line));
  const clock = options.clock ?? systemClock;
  const base = options.fields ?? {};
  const emit = (level: LogLevel, message: string, fields?: LogFields): void => {
    if (order[level] < least) return;
    const line: Record<string, unknown> = {
      time: new Date(clock.now()).toISOString(),
      level,
      msg: redact('msg', message),
    };
    for (const [name, value] of Object.entries({ ...base, ...fields })) {
      if (value !== undefined) line[name in line ? `field.${name}` : name] = redact(name, value);
    }
    try {
      write(`${JSON.stringify(line)}\n`);
    } catch {
      // A log that can't be written must not harm what it tells about.
    }
  };
  return {
    debug: (message, fields) => emit('debug', message, fields),
    info: (message, fields) => emit('info', message, fields),
    warn: (message, fields) => emit('warn', message, fields),
    error: (message, fields) => emit('error', message, fields),
    with: (fields) => jsonLogger({ ...options, fields: { ...base, ...fields } }),
  };
}

/** Says nothing. */
export const silentLogger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  with: () => silentLogger,
};

export { describeError };
