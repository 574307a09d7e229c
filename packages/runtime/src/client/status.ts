import type { IncomingHttpHeaders } from 'node:http';
import { ApiError, type StatusBody, type StatusCause } from './errors.ts';

/** The error of an answer with status 400 or more. */
export function errorOf(
  answer: { readonly status: number; readonly headers: IncomingHttpHeaders; readonly body: Buffer },
  request: string,
  now: number,
): ApiError {
  return new ApiError(
    answer.status,
    statusBody(answer.body.toString('utf8')),
    request,
    retryAfterMs(answer.headers['retry-after'], now),
  );
}

/** The error of an ERROR event in a watch. */
export function errorOfEvent(object: unknown, request: string): ApiError {
  const code = isRecord(object) && typeof object['code'] === 'number' ? object['code'] : 500;
  return new ApiError(code, bodyOf(object, JSON.stringify(object) ?? ''), request);
}

function statusBody(text: string): StatusBody {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    // A proxy's page or plain text: shown as it is, shortened.
  }
  return bodyOf(parsed, text);
}

function bodyOf(status: unknown, text: string): StatusBody {
  const plain = text.trim().slice(0, 300);
  if (!isRecord(status) || status['kind'] !== 'Status') {
    return { reason: '', message: plain === '' ? '(no message)' : plain, causes: [] };
  }
  const details = isRecord(status['details']) ? status['details'] : {};
  const object = textOf(details['name']);
  const causes: readonly unknown[] = Array.isArray(details['causes']) ? details['causes'] : [];
  return {
    reason: textOf(status['reason']),
    message: textOf(status['message']) || '(no message)',
    causes: causes.filter(isRecord).map(
      (cause): StatusCause => ({
        field: textOf(cause['field']),
        reason: textOf(cause['reason']),
        message: textOf(cause['message']),
      }),
    ),
    ...(object === '' ? {} : { object }),
  };
}

/** Retry-After: seconds, or a date. */
function retryAfterMs(header: string | undefined, now: number): number | undefined {
  if (header === undefined) return undefined;
  if (/^\s*\d+\s*$/.test(header)) return Number(header) * 1000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
