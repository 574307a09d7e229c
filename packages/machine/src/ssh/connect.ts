import type { Client, ConnectConfig, ServerHostKeyAlgorithm } from 'ssh2';
import { SshError } from './errors.ts';
import {
  fingerprint,
  formatHostKey,
  type HostKey,
  parseHostKey,
  sameKey,
  signatureAlgorithms,
} from './hostkey.ts';
import { Session, type SshSession } from './session.ts';

/** Where and as whom to connect. */
export interface SshTarget {
  readonly address: string;
  /** Default 22. */
  readonly port?: number;
  /** Default root. */
  readonly user?: string;
  /** The host's public key, see parseHostKey. Without it nothing is sent to the host: HostKeyUnknown, with the key that was seen. */
  readonly hostKey?: string;
  /** Private key without passphrase, in OpenSSH's or PEM form. */
  readonly privateKey: string | Buffer;
}

export interface SshOptions {
  /** Until the session stands: name, TCP, handshake and log-in together. Default 20 s. */
  readonly connectTimeoutMs?: number;
  /** A frozen or cut-off host is noticed after three of these without an answer. Default 5 s. */
  readonly keepaliveMs?: number;
  readonly signal?: AbortSignal;
}

/** Opens a session as root, by itself or through `sudo -n`. One that is not root at the end is closed again. */
export type Connect = (target: SshTarget, options?: SshOptions) => Promise<SshSession>;

/**
 * Connects with ssh2, which is loaded at the first call only (it costs 12 MiB).
 *
 * @throws SshError, see SshFailure for what is told apart.
 */
export const connectSsh: Connect = async (target, options = {}) => {
  const where = `${target.address} port ${target.port ?? 22}`;
  const expected = readHostKey(target, where);
  // The module is CommonJS: what it exports stands under default.
  const ssh2 = (await import('ssh2')).default;
  const key = ssh2.utils.parseKey(target.privateKey);
  if (key instanceof Error || (Array.isArray(key) ? key[0] : key)?.isPrivateKey() !== true) {
    throw new SshError(
      'KeyUnusable',
      `the private key cannot be used${key instanceof Error ? ` (${key.message})` : ': it is not a private key'}; ` +
        'give one without a passphrase in OpenSSH or PEM form',
    );
  }
  const client = new ssh2.Client();
  await ready(client, target, options, expected, where);
  const session = new Session(client, `${target.user ?? 'root'}@${where}`);
  try {
    await session.becomeRoot();
    return session;
  } catch (error) {
    session.close();
    throw error;
  }
};

function readHostKey(target: SshTarget, where: string): HostKey | undefined {
  if (target.hostKey === undefined || target.hostKey.trim() === '') return undefined;
  try {
    return parseHostKey(target.hostKey);
  } catch (cause) {
    throw new SshError(
      'HostKeyInvalid',
      `the host key given for ${where} cannot be read: ${(cause as Error).message}`,
      {
        cause,
      },
    );
  }
}

async function ready(
  client: Client,
  target: SshTarget,
  options: SshOptions,
  expected: HostKey | undefined,
  where: string,
): Promise<void> {
  const timeoutMs = options.connectTimeoutMs ?? 20_000;
  const user = target.user ?? 'root';
  let seen: Buffer | undefined;
  const config: ConnectConfig = {
    host: target.address,
    port: target.port ?? 22,
    username: user,
    privateKey: target.privateKey,
    // Only the key: trying "none" first would make some hosts count a failed log-in.
    authHandler: ['publickey'],
    readyTimeout: 0,
    keepaliveInterval: options.keepaliveMs ?? 5_000,
    keepaliveCountMax: 3,
    hostVerifier: (key: Buffer) => {
      seen = key;
      return expected !== undefined && sameKey(key, expected.blob);
    },
    ...(expected === undefined
      ? {}
      : { algorithms: { serverHostKey: [...signatureAlgorithms(expected)] as ServerHostKeyAlgorithm[] } }),
  };

  await new Promise<void>((resolve, reject) => {
    const stop = (error: Error): void => {
      clearTimeout(timer);
      options.signal?.removeEventListener('abort', aborted);
      client.destroy();
      reject(error);
    };
    // A host that takes the connection and then says nothing is as good as unreachable.
    const timer = setTimeout(() => {
      stop(
        new SshError('Unreachable', `${where} did not answer within ${timeoutMs / 1000} s; ${reachAdvice}`),
      );
    }, timeoutMs);
    const aborted = (): void => {
      stop(new SshError('Lost', `connecting to ${where} was called off`));
    };
    options.signal?.addEventListener('abort', aborted);
    if (options.signal?.aborted === true) return aborted();
    // Errors that come after the session stands are the session's; this keeps them from ending the process in between.
    client.on('error', (error: Error & { level?: string; code?: string }) => {
      stop(explain(error, { where, user, seen, expected }));
    });
    client.once('close', () => {
      stop(
        new SshError(
          'NotSSH',
          `${where} closed the connection before the log-in was done; is sshd healthy there?`,
        ),
      );
    });
    client.once('ready', () => {
      clearTimeout(timer);
      options.signal?.removeEventListener('abort', aborted);
      resolve();
    });
    client.connect(config);
  });
}

const reachAdvice =
  'check spec.ssh.address and port, that the host is up, and that no firewall stands between it and the operator';

interface Circumstances {
  readonly where: string;
  readonly user: string;
  readonly seen: Buffer | undefined;
  readonly expected: HostKey | undefined;
}

/** From what ssh2 and the system report to what a person can act on. */
function explain(error: Error & { level?: string; code?: string }, on: Circumstances): SshError {
  const { where, user, seen, expected } = on;
  if (seen !== undefined && expected === undefined) {
    const hostKey = formatHostKey(seen);
    return new SshError(
      'HostKeyUnknown',
      `no host key is given for ${where}. It shows ${fingerprint(seen)}: compare that with what the host itself says ` +
        `(ssh-keygen -lf /etc/ssh/ssh_host_*_key.pub), then set spec.ssh.hostKey to "${hostKey}"`,
      { hostKey },
    );
  }
  if (seen !== undefined && expected !== undefined && !sameKey(seen, expected.blob)) {
    const hostKey = formatHostKey(seen);
    return new SshError(
      'HostKeyDiffers',
      `${where} shows the host key ${fingerprint(seen)}, but spec.ssh.hostKey is ${fingerprint(expected.blob)}. It is another host, or one ` +
        `that was installed anew, or somebody stands in between. Only if you know why, set spec.ssh.hostKey to "${hostKey}"`,
      { hostKey },
    );
  }
  switch (error.code ?? '') {
    case 'ECONNREFUSED':
      return new SshError(
        'Refused',
        `${where} refuses connections: no sshd listens there; start it, or correct spec.ssh.port`,
        {
          cause: error,
        },
      );
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return new SshError(
        'Unreachable',
        `the name of ${where} cannot be resolved (${error.code}); correct spec.ssh.address`,
        {
          cause: error,
        },
      );
    case 'ETIMEDOUT':
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'EHOSTDOWN':
      return new SshError('Unreachable', `${where} cannot be reached (${error.code}); ${reachAdvice}`, {
        cause: error,
      });
    default:
  }
  if (error.level === 'client-authentication') {
    return new SshError(
      'Denied',
      `${where} did not let user ${user} in with the key; check spec.ssh.user, that the public key stands in that user's ` +
        'authorized_keys, and that sshd permits it (PermitRootLogin, AllowUsers)',
      { cause: error },
    );
  }
  if (expected !== undefined && error.message.includes('no matching host key format')) {
    return new SshError(
      'HostKeyDiffers',
      `${where} has no host key of the type ${expected.type} that spec.ssh.hostKey names: it is another host, or one that was ` +
        'installed anew; find out which, then correct spec.ssh.hostKey',
      { cause: error },
    );
  }
  return new SshError('NotSSH', `${where} answers, but no ssh session can be made: ${error.message}`, {
    cause: error,
  });
}
