import { ConnectionError } from './errors.ts';

/** No object may be larger: etcd's limit is 1.5 MiB, and the API server's for a request 3 MiB. */
const longestLine = 16 * 1024 * 1024;

/** Splits a stream at newlines. Rejects with ConnectionError where it ends within a line. */
export async function* linesOf(chunks: AsyncIterable<Buffer>): AsyncGenerator<string, void, undefined> {
  let parts: Buffer[] = [];
  let size = 0;
  for await (const chunk of chunks) {
    let from = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, from)) {
      if (size === 0) {
        if (end > from) yield chunk.toString('utf8', from, end);
      } else {
        parts.push(chunk.subarray(from, end));
        yield Buffer.concat(parts).toString('utf8');
        parts = [];
        size = 0;
      }
      from = end + 1;
    }
    if (from < chunk.length) {
      parts.push(chunk.subarray(from));
      size += chunk.length - from;
      if (size > longestLine) {
        throw new ConnectionError(
          `a line of the watch is longer than ${longestLine} bytes`,
          'TOO_LARGE',
          false,
        );
      }
    }
  }
  if (size > 0) throw new ConnectionError('the watch broke off within a line', 'TRUNCATED', false);
}
