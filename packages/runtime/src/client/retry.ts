import { type BackoffOptions, backoffMs, type Random } from '../clock/backoff.ts';
import { ApiError, ConnectionError } from './errors.ts';

/** Between tries of one call. */
const between: BackoffOptions = { baseMs: 100, maxMs: 5000 };
/** Tries of one call: with the waits above about 4 s, longer where the server says so. */
export const tries = 6;

/**
 * How long to wait before the same request is sent again; undefined: don't. What was never processed may always be sent again (429, not
 * connected); what ends in the same state when done twice, also after an answer that was lost or came from something in between.
 */
export function retryMs(
  error: unknown,
  tried: number,
  idempotent: boolean,
  random: Random,
): number | undefined {
  if (tried >= tries) return undefined;
  const wait = backoffMs(between, tried, random);
  if (error instanceof ConnectionError) {
    if (error.code.startsWith('CERT_') || error.code.startsWith('ERR_') || certificateCodes.has(error.code))
      return undefined;
    return error.neverSent || (idempotent && error.code !== 'TOO_LARGE') ? wait : undefined;
  }
  if (!(error instanceof ApiError)) return undefined;
  // A PodDisruptionBudget's no is an answer to who asked for the eviction, and no sign of an overloaded server.
  if (error.causes.some(({ reason }) => reason === 'DisruptionBudget')) return undefined;
  const transient = error.status === 429 || (idempotent && error.status >= 502 && error.status <= 504);
  // Past what the server asked for, and spread: those who were told the same second don't come back in it together.
  return transient ? (error.retryAfterMs ?? 0) + wait : undefined;
}

/** OpenSSL's words for a server that isn't trusted: trying again changes nothing. */
const certificateCodes: ReadonlySet<string> = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
]);
