/**
 * What can be wrong with a host that is reached by ssh, told apart because a person mends each elsewhere.
 *
 * - `Unreachable`: nothing answers at the address (no route, name not found, no answer in time, or frozen).
 * - `Refused`: the host is there, nothing listens at the port.
 * - `NotSSH`: something answers that does not speak ssh, or no common algorithm is found.
 * - `HostKeyUnknown`: no host key was given; `hostKey` is the one seen. Nothing was sent to the host.
 * - `HostKeyDiffers`: the host has another key than the one given. Nothing was sent to the host.
 * - `HostKeyInvalid`: the host key that was given does not parse.
 * - `KeyUnusable`: the private key does not parse, or asks for a passphrase.
 * - `Denied`: the host knows no such user or does not accept the key.
 * - `NotRoot`: logged in, but neither root nor allowed to sudo without a password.
 * - `Lost`: the connection broke while it was in use.
 * - `Timeout`: a command did not end in time.
 */
export type SshFailure =
  | 'Unreachable'
  | 'Refused'
  | 'NotSSH'
  | 'HostKeyUnknown'
  | 'HostKeyDiffers'
  | 'HostKeyInvalid'
  | 'KeyUnusable'
  | 'Denied'
  | 'NotRoot'
  | 'Lost'
  | 'Timeout';

/** An ssh failure; `message` says what happened, to which host, and what to do. Never holds secrets or what went over stdin. */
export class SshError extends Error {
  override readonly name = 'SshError';
  readonly kind: SshFailure;
  /** The key that the host showed, as one writes it into `spec.ssh.hostKey`; for HostKeyUnknown and HostKeyDiffers. */
  readonly hostKey: string | undefined;

  constructor(kind: SshFailure, message: string, options: { hostKey?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.kind = kind;
    this.hostKey = options.hostKey;
  }
}
