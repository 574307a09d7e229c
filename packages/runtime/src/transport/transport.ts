import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http';

export interface HttpRequest {
  readonly method: string;
  /** Path and query, below the server's address. */
  readonly path: string;
  readonly headers: OutgoingHttpHeaders;
  readonly body?: string | Buffer;
  readonly signal: AbortSignal;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface HttpStream {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Rejects with ConnectionError where it breaks off. */
  readonly chunks: AsyncIterable<Buffer>;
  /** Gives the connection up. Without it, or reading to the end, it stays open. */
  close(): void;
}

/** HTTP to one server. Any status is an answer; what rejects is a ConnectionError, or the signal's reason. */
export interface Transport {
  readonly server: string;
  /** A whole answer, over a limited number of connections. */
  send(request: HttpRequest): Promise<HttpAnswer>;
  /** An answer that goes on for long, over a connection beyond that limit. */
  open(request: HttpRequest): Promise<HttpStream>;
  /** The server said 401: ask anew who we are. False where that can't change anything. */
  rejected(): boolean;
  /** Closes idle connections. */
  close(): void;
}
