import type { PrometheusInspection } from '@kubenode/api';
import { answerMs, type Ask, type Credentials, originOf } from './http.ts';
import type { InspectedBatch, Verdict } from './inspections.ts';
import { fillQuery } from './query.ts';

/** A verdict whose time is not known to who finds it. */
export type Finding = Pick<Verdict, 'result' | 'message'>;

/** An answer of one number has some hundred bytes. */
const mostBytes = 1 << 20;
/** Longer queries go as POST: servers and proxies bound the length of an address. */
const longestGet = 2048;

/**
 * Asks Prometheus, or what speaks as it does, for the one number that decides.
 * @param now epoch milliseconds, for `{{ elapsed }}`
 * @throws Error as Ask does; its message is for people
 */
export async function askPrometheus(
  { url, query, min, max }: PrometheusInspection,
  batch: InspectedBatch,
  now: number,
  ask: Ask,
  credentials: Credentials,
  signal: AbortSignal,
): Promise<Finding> {
  const filled = fillQuery(query, batch, now);
  if (filled.unknown !== undefined) {
    return inconclusive(
      `prometheus.query holds {{ ${filled.unknown} }}; what can be put in is component, revision, machines and elapsed`,
    );
  }
  const form = new URLSearchParams({ query: filled.query, timeout: `${answerMs}ms` }).toString();
  const endpoint = `${url.replace(/\/+$/, '')}/api/v1/query`;
  const isLong = form.length > longestGet;
  const { status, location, body, isCut } = await ask({
    url: isLong ? endpoint : `${endpoint}?${form}`,
    method: isLong ? 'POST' : 'GET',
    ...(isLong && { body: { type: 'application/x-www-form-urlencoded', text: form } }),
    credentials,
    mostBytes,
    signal,
  });
  const where = originOf(url);
  if (isCut) {
    return inconclusive(
      `${where} answers with more than ${mostBytes >> 20} MiB; make prometheus.query one number, by sum() or count()`,
    );
  }
  if (status >= 300 && status < 400) {
    const to = originOf(location ?? '');
    return inconclusive(`${where} answers ${status} and points to ${to}; give prometheus.url as it wants it`);
  }
  if (status === 401 || status === 403) {
    return inconclusive(
      `${where} answers ${status}; put a token that may query into a Secret of the operator's namespace and name it in secretName`,
    );
  }
  return judge(where, status, parse(body), { min, max });
}

interface Reply {
  readonly status?: unknown;
  readonly errorType?: unknown;
  readonly error?: unknown;
  readonly warnings?: unknown;
  readonly data?: { readonly resultType?: unknown; readonly result?: unknown };
}

function parse(body: string): Reply | undefined {
  try {
    const reply: unknown = JSON.parse(body);
    return typeof reply === 'object' && reply !== null ? reply : undefined;
  } catch {
    return undefined;
  }
}

function judge(
  where: string,
  status: number,
  reply: Reply | undefined,
  bounds: { readonly min: string | undefined; readonly max: string | undefined },
): Finding {
  if (reply?.status === 'error') {
    const words = String(reply.error);
    return reply.errorType === 'bad_data'
      ? inconclusive(`${where} cannot read prometheus.query: ${words}`)
      : inconclusive(`${where} cannot answer prometheus.query: ${String(reply.errorType)}: ${words}`);
  }
  if (status !== 200)
    return inconclusive(`${where} answers ${status}; see its log, or correct prometheus.url`);
  if (reply?.status !== 'success')
    return inconclusive(`${where} does not answer as Prometheus does; correct prometheus.url`);
  if (Array.isArray(reply.warnings) && reply.warnings.length > 0)
    return inconclusive(`${where} has doubts about its answer: ${String(reply.warnings[0])}`);
  const found = numberIn(reply.data ?? {});
  return typeof found === 'string' ? inconclusive(`prometheus.query ${found}`) : compare(found, bounds);
}

/** The one number; otherwise what there is in its place, and what to do. */
function numberIn({ resultType, result }: NonNullable<Reply['data']>): number | string {
  let sample: unknown = result;
  if (resultType === 'vector' && Array.isArray(result)) {
    if (result.length === 0) {
      return 'finds no series; where none is good, add "or vector(0)" to it; otherwise see that Prometheus has the metric of these machines';
    }
    if (result.length > 1) return `gives ${result.length} series, not one; aggregate it, by sum() or max()`;
    sample = (result[0] as { value?: unknown }).value;
    if (sample === undefined) return 'gives a histogram, not a number; take histogram_quantile() of it';
  } else if (resultType !== 'scalar') {
    return `gives a ${String(resultType)}, not a number; leave out the range in brackets, or take a function of it`;
  }
  const text = Array.isArray(sample) ? String(sample[1]) : '';
  const number = Number(text === '' ? Number.NaN : text);
  if (Number.isFinite(number)) return number;
  return `gives ${text || 'nothing'}, as a division by zero does: there is too little data yet, or add "or vector(0)" where none is good`;
}

function compare(
  number: number,
  { min, max }: { readonly min: string | undefined; readonly max: string | undefined },
): Finding {
  if (min !== undefined && number < Number(min)) return failed(`${number} is below min ${min}`);
  if (max !== undefined && number > Number(max)) return failed(`${number} is above max ${max}`);
  const bounds = [...(min === undefined ? [] : [`min ${min}`]), ...(max === undefined ? [] : [`max ${max}`])];
  return { result: 'Passed', message: `${number} is within ${bounds.join(' and ')}` };
}

function failed(message: string): Finding {
  return { result: 'Failed', message };
}

function inconclusive(message: string): Finding {
  return { result: 'Inconclusive', message };
}
