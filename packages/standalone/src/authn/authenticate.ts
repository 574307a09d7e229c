import { X509Certificate } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { TLSSocket } from 'node:tls';
import { ApiError } from '../http/status.ts';
import type { Tokens } from './tokens.ts';
import { ANONYMOUS, AUTHENTICATED, type User } from './user.ts';

/** A certificate is verified once per connection, and its end is looked at on each request. */
const known = new WeakMap<TLSSocket, { user: User; from: number; to: number } | null>();

function certificateUser(socket: TLSSocket, now: number): User | undefined {
  let entry = known.get(socket);
  if (entry === undefined) {
    entry = null;
    const peer = socket.getPeerCertificate();
    if (socket.authorized && peer.raw) {
      const certificate = new X509Certificate(peer.raw);
      const { CN, O } = peer.subject as { CN?: string; O?: string | string[] };
      if (CN) {
        const groups = O === undefined ? [] : Array.isArray(O) ? O : [O];
        entry = {
          user: {
            username: CN,
            groups: [...groups, AUTHENTICATED],
            extra: {
              'authentication.kubernetes.io/credential-id': [
                `X509SHA256=${certificate.fingerprint256.replaceAll(':', '').toLowerCase()}`,
              ],
            },
          },
          from: Date.parse(certificate.validFrom),
          to: Date.parse(certificate.validTo),
        };
      }
    }
    known.set(socket, entry);
  }
  return entry && now >= entry.from && now < entry.to ? entry.user : undefined;
}

/**
 * Who asks: client certificate, else bearer token, else nobody known.
 * @throws ApiError 401 for a credential that is not valid.
 */
export function authenticate(request: IncomingMessage, tokens: Tokens, now: number): User {
  const socket = request.socket;
  if (socket instanceof TLSSocket) {
    const user = certificateUser(socket, now);
    if (user) return user;
    if (socket.getPeerCertificate().raw) throw unauthorized();
  }
  const header = request.headers.authorization;
  if (header === undefined) return ANONYMOUS;
  const token = /^Bearer +(\S+)$/i.exec(header)?.[1];
  const user = token === undefined ? undefined : tokens.authenticate(token, now);
  if (!user) throw unauthorized();
  return user;
}

function unauthorized(): ApiError {
  return new ApiError(401, 'Unauthorized', 'Unauthorized');
}
