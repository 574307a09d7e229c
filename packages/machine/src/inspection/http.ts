import {
  Agent as HttpAgent,
  request as httpRequest,
  type IncomingMessage,
  type RequestOptions,
} from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { formatDuration } from '@kubenode/runtime';

/** What is known of the other end besides its address. */
export interface Credentials {
  /** Sent as a bearer token. */
  readonly token?: string;
  /** PEM of the authorities that are trusted, in place of those that Node trusts. */
  readonly ca?: string;
}

export interface Question {
  readonly url: string;
  readonly method: 'GET' | 'POST';
  readonly body?: { readonly type: string; readonly text: string };
  readonly credentials: Credentials;
  /** No more of the answer is read. */
  readonly mostBytes: number;
  readonly signal: AbortSignal;
}

export interface Answer {
  readonly status: number;
  readonly location: string | undefined;
  readonly body: string;
  /** The body was longer than asked for. */
  readonly isCut: boolean;
}

/** Puts a question and reads the answer. @throws Error whose message names the address and says what to do; the signal's reason when aborted */
export type Ask = (question: Question) => Promise<Answer>;

/** How long an answer may take, from the first byte sent to the last one read, in milliseconds. Prometheus' own limit is 2 min. */
export const answerMs = 10_000;

/** Node's own client with connections kept alive. Redirects are not followed: a token goes to the address that was given, and nowhere else. */
export function httpAsk(timeoutMs = answerMs): { readonly ask: Ask; close(): void } {
  const http = new HttpAgent({ keepAlive: true });
  const https = new HttpsAgent({ keepAlive: true });
  return {
    ask: async (question) => {
      const late = AbortSignal.timeout(timeoutMs);
      const signal = AbortSignal.any([question.signal, late]);
      try {
        return await exchange({ ...question, signal }, http, https);
      } catch (error) {
        question.signal.throwIfAborted();
        const where = originOf(question.url);
        if (late.aborted) {
          throw new Error(
            `${where} did not answer within ${formatDuration(timeoutMs)}; see what keeps it busy, or ask for less`,
            { cause: error },
          );
        }
        throw new Error(`${where} cannot be asked: ${reasonOf(error)}`, { cause: error });
      }
    },
    close() {
      http.destroy();
      https.destroy();
    },
  };
}

async function exchange(question: Question, http: HttpAgent, https: HttpsAgent): Promise<Answer> {
  const { credentials, body } = question;
  const options: RequestOptions = {
    method: question.method,
    signal: question.signal,
    headers: {
      'user-agent': 'kubenode',
      accept: 'application/json, text/plain;q=0.5, */*;q=0.1',
      ...(credentials.token !== undefined && { authorization: `Bearer ${credentials.token}` }),
      ...(body !== undefined && {
        'content-type': body.type,
        'content-length': Buffer.byteLength(body.text),
      }),
    },
  };
  let isStale = false;
  const send = (resolve: (answer: IncomingMessage) => void, reject: (error: Error) => void): void => {
    const url = new URL(question.url);
    const sent =
      url.protocol === 'https:'
        ? httpsRequest(
            url,
            { ...options, agent: https, ...(credentials.ca !== undefined && { ca: credentials.ca }) },
            resolve,
          )
        : httpRequest(url, { ...options, agent: http }, resolve);
    sent.on('error', (error: NodeJS.ErrnoException) => {
      isStale = sent.reusedSocket && error.code === 'ECONNRESET';
      reject(error);
    });
    sent.end(body?.text);
  };
  const answer = await new Promise(send).catch((error: unknown) => {
    // The other end closed a connection that was kept, in the moment it was used again.
    if (!isStale) throw error;
    return new Promise(send);
  });
  const read = await readUpTo(answer, question.mostBytes);
  return { status: answer.statusCode ?? 0, location: answer.headers.location, ...read };
}

async function readUpTo(
  answer: IncomingMessage,
  mostBytes: number,
): Promise<{ body: string; isCut: boolean }> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    bytes += chunk.length;
    // Leaving the loop closes the connection: nobody reads the rest.
    if (bytes > mostBytes) break;
  }
  const body = Buffer.concat(chunks).subarray(0, mostBytes).toString('utf8');
  return { body, isCut: bytes > mostBytes };
}

const advice: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there; start it, or correct url',
  ENOTFOUND: 'its name is not known; correct url, or the name service of the operator',
  EAI_AGAIN: 'the name service does not answer',
  ECONNRESET: 'it closed the connection',
  EHOSTUNREACH: 'there is no way to it from the operator',
  ENETUNREACH: 'there is no way to it from the operator',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate is of an unknown authority; put that into ca.crt of secretName',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is signed by itself; put it into ca.crt of secretName',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    'its certificate is of an unknown authority; put that into ca.crt of secretName',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    'its certificate is of an unknown authority; put that into ca.crt of secretName',
};

function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  const why = advice[code ?? ''];
  return why === undefined ? message : `${why} (${code})`;
}

/** The address without path and query, for messages. */
export function originOf(url: string): string {
  return URL.canParse(url) ? new URL(url).origin : url;
}
