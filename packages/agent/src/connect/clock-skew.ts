import https from 'node:https';
import type { Clock } from '../clock.ts';

/** More than this between the server's clock and ours is told; certificates and Leases bear a few minutes. */
const bearableMs = 300_000;
const askTimeoutMs = 5_000;

/** Says how far the host's clock is off; undefined: near enough. Pure. */
export function describeSkew(serverMs: number, localMs: number): string | undefined {
  const skew = localMs - serverMs;
  if (Number.isNaN(skew) || Math.abs(skew) < bearableMs) return undefined;
  const minutes = Math.round(Math.abs(skew) / 60_000);
  const span =
    minutes >= 1440
      ? `${Math.floor(minutes / 1440)} d ${Math.floor((minutes % 1440) / 60)} h`
      : minutes >= 60
        ? `${Math.floor(minutes / 60)} h ${minutes % 60} min`
        : `${minutes} min`;
  return `the clock of this host is ${span} ${skew > 0 ? 'ahead of' : 'behind'} the API server's: set it right (timedatectl set-ntp true), certificates are refused meanwhile`;
}

/** Whether a failed connection may have a wrong clock for its cause. */
export function smellsOfClock(error: unknown): boolean {
  return /CERT_NOT_YET_VALID|CERT_HAS_EXPIRED|certificate (has expired|is not yet valid)/i.test(
    String(error) + codeOf(error),
  );
}

function codeOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
}

/**
 * Asks the server for its time alone, without trusting it and without telling who asks: its certificate is what the wrong clock has us
 * refuse. Nothing but the Date header is read. @returns undefined where it does not answer.
 */
export async function askSkew(server: string, clock: Clock): Promise<string | undefined> {
  const date = await new Promise<string | undefined>((resolve) => {
    const url = new URL('/version', server);
    const request = https.request(
      url,
      { rejectUnauthorized: false, timeout: askTimeoutMs, agent: false },
      (response) => {
        response.resume();
        resolve(response.headers.date);
      },
    );
    request.on('timeout', () => request.destroy());
    request.on('error', () => resolve(undefined));
    request.end();
  });
  return date === undefined ? undefined : describeSkew(Date.parse(date), clock.now());
}
