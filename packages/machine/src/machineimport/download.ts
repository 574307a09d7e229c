import { get as httpGet, type IncomingMessage } from 'node:http';
import { get as httpsGet } from 'node:https';
import type { Download } from './install.ts';

/** Nothing for so long: the other end is taken for dead. */
const silenceMs = 30_000;
const mostRedirects = 5;

/** Downloads go through this process only for hosts that cannot fetch; so many of them at once, for each takes a core's worth of encryption. */
const atOnce = 2;

/**
 * Downloads by http and https, a limited number at a time; who comes later waits.
 *
 * @throws Error that names the address
 */
export function limitedDownload(download: Download = httpDownload, limit = atOnce): Download {
  let running = 0;
  const waiting: (() => void)[] = [];
  return async function* (url) {
    if (running >= limit) await new Promise<void>((resolve) => void waiting.push(resolve));
    running += 1;
    try {
      yield* download(url);
    } finally {
      running -= 1;
      waiting.shift()?.();
    }
  };
}

const httpDownload: Download = async function* (url) {
  let address = url;
  for (let redirects = 0; redirects <= mostRedirects; redirects++) {
    const answer = await request(address);
    const { statusCode = 0, headers } = answer;
    if (statusCode >= 300 && statusCode < 400 && headers.location !== undefined) {
      answer.resume();
      address = new URL(headers.location, address).href;
      continue;
    }
    if (statusCode !== 200) {
      answer.resume();
      throw new Error(`${address} answers ${statusCode}`);
    }
    for await (const chunk of answer) yield chunk as Buffer;
    return;
  }
  throw new Error(`${url} redirects more than ${mostRedirects} times`);
};

function request(url: string): Promise<IncomingMessage> {
  const get = url.startsWith('https:') ? httpsGet : httpGet;
  return new Promise((resolve, reject) => {
    const sent = get(url, { timeout: silenceMs }, resolve);
    sent.on('timeout', () => sent.destroy(new Error(`${url} said nothing for ${silenceMs / 1000} s`)));
    sent.on('error', (error) =>
      reject(new Error(`${url} cannot be fetched: ${error.message}`, { cause: error })),
    );
  });
}
