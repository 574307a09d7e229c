import type { WebInspection } from '@kubenode/api';
import { type Ask, type Credentials, originOf } from './http.ts';
import type { InspectedBatch } from './inspections.ts';
import type { Finding } from './prometheus.ts';

/** As much of an answer as is shown. */
const mostBytes = 256;
/** Of 400 to 499, what is said about the one who asks, and not about the machines. */
const notHeard: readonly number[] = [401, 403, 407, 408, 429];

/** Asks somebody's own checker. @throws Error as Ask does; its message is for people */
export async function askWeb(
  { url, method }: WebInspection,
  batch: InspectedBatch,
  ask: Ask,
  credentials: Credentials,
  signal: AbortSignal,
): Promise<Finding> {
  const { set, component, revision, rollout, number, machines } = batch;
  const text = JSON.stringify({ set, component, revision, rollout, batch: number, machines });
  const { status, body } = await ask({
    url,
    method,
    ...(method === 'POST' && { body: { type: 'application/json', text } }),
    credentials,
    mostBytes,
    signal,
  });
  const words = body.trim();
  const message = `${originOf(url)} answers ${status}${words === '' ? '' : `: ${words}`}`;
  if (status >= 200 && status < 300) return { result: 'Passed', message };
  if (notHeard.includes(status)) {
    const advice =
      status < 408 ? 'put a token into the Secret of secretName' : 'it is asked again, more slowly';
    return { result: 'Inconclusive', message: `${message}; ${advice}` };
  }
  if (status >= 400 && status < 500) return { result: 'Failed', message };
  return {
    result: 'Inconclusive',
    message: `${message}; what counts is 200 to 299 (passed) and 400 to 499 (failed)`,
  };
}
