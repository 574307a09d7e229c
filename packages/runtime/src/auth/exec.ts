import { execFile } from 'node:child_process';
import { type Clock, systemClock } from '../clock/clock.ts';
import type { Credentials, Identity } from './credentials.ts';

/** `user.exec` of a kubeconfig: a program that prints an ExecCredential. */
export interface ExecOptions {
  readonly command: string;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** @default 'client.authentication.k8s.io/v1' */
  readonly apiVersion?: string;
  /** Told to the program where the kubeconfig says `provideClusterInfo`. */
  readonly cluster?: Readonly<Record<string, unknown>>;
  readonly clock?: Clock;
}

const timeoutMs = 60_000;
/** A token is asked for anew so long before it ends. */
const marginMs = 60_000;

/** Runs the program when there is no identity yet, it is about to end, or the server refused it; once for all who wait. */
export function execCredentials(options: ExecOptions): Credentials {
  const clock = options.clock ?? systemClock;
  let current: { readonly identity: Identity; readonly until: number } | undefined;
  let asking: Promise<Identity> | undefined;
  const ask = async (): Promise<Identity> => {
    try {
      const answer = parse(await run(options), options.command);
      const margin = answer.until === Infinity ? 0 : Math.min(marginMs, (answer.until - clock.now()) / 2);
      current = { identity: answer.identity, until: answer.until - margin };
      return answer.identity;
    } finally {
      asking = undefined;
    }
  };
  return {
    identity() {
      if (current !== undefined && clock.now() < current.until) return Promise.resolve(current.identity);
      asking ??= ask();
      return asking;
    },
    rejected() {
      current = undefined;
    },
  };
}

function run(options: ExecOptions): Promise<string> {
  const request = {
    apiVersion: options.apiVersion ?? 'client.authentication.k8s.io/v1',
    kind: 'ExecCredential',
    spec: { interactive: false, ...(options.cluster === undefined ? {} : { cluster: options.cluster }) },
  };
  const env = { ...process.env, ...options.env, KUBERNETES_EXEC_INFO: JSON.stringify(request) };
  return new Promise((resolve, reject) => {
    execFile(
      options.command,
      options.args ?? [],
      { env, timeout: timeoutMs, maxBuffer: 1024 * 1024 },
      (error, stdout, stderr) => {
        if (error === null) resolve(stdout);
        else if (error.code === 'ENOENT')
          reject(
            new Error(
              `credential program ${options.command} is not there; install it or fix user.exec in the kubeconfig`,
            ),
          );
        else {
          const why =
            error.killed === true
              ? `did not end within ${timeoutMs / 1000} s`
              : `ended with ${String(error.code)}`;
          reject(new Error(`credential program ${options.command} ${why}: ${stderr.trim().slice(-300)}`));
        }
      },
    );
  });
}

interface ExecAnswer {
  readonly status?: {
    readonly token?: string;
    readonly clientCertificateData?: string;
    readonly clientKeyData?: string;
    readonly expirationTimestamp?: string;
  };
}

function parse(text: string, command: string): { readonly identity: Identity; readonly until: number } {
  let answer: ExecAnswer | null;
  try {
    answer = JSON.parse(text) as ExecAnswer | null;
  } catch {
    // What it printed is not shown: it may hold a token.
    throw new Error(`credential program ${command} printed no JSON; it should print an ExecCredential`);
  }
  const {
    token,
    clientCertificateData: cert,
    clientKeyData: key,
    expirationTimestamp,
  } = answer?.status ?? {};
  if (token === undefined && (cert === undefined || key === undefined)) {
    throw new Error(
      `credential program ${command} gave neither status.token nor a client certificate with its key`,
    );
  }
  const until = expirationTimestamp === undefined ? Infinity : Date.parse(expirationTimestamp);
  return {
    identity: {
      ...(token === undefined ? {} : { token }),
      ...(cert === undefined || key === undefined ? {} : { cert, key }),
    },
    until: Number.isNaN(until) ? Infinity : until,
  };
}
