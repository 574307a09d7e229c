/** Who we are, at one moment. All PEM texts. */
export interface Identity {
  readonly token?: string;
  /** Client certificate with its chain, and its key; both or none. */
  readonly cert?: string;
  readonly key?: string;
}

/**
 * Where the identity comes from. Asked before every request, so it answers from memory while nothing changed; a changed certificate
 * is used for the next connections without a restart.
 */
export interface Credentials {
  identity(signal?: AbortSignal): Promise<Identity>;
  /** The server said 401: what is cached is worth nothing. */
  rejected?(): void;
}

/** Where the API server is, and who asks. */
export interface Connection {
  /** `https://host:port`, a path prefix is allowed. */
  readonly server: string;
  /** PEM of the authorities that may sign the server's certificate. @default the system's */
  readonly ca?: string;
  /** The name the server's certificate must carry, where it isn't the one in `server`. */
  readonly tlsServerName?: string;
  /** Trust any server. For tests. @default false */
  readonly insecureSkipVerify?: boolean;
  /** @default none: anonymous */
  readonly credentials?: Credentials;
  /** Namespace that the kubeconfig's context or the pod names. */
  readonly namespace?: string;
}

/** A fixed identity. */
export function staticCredentials(identity: Identity): Credentials {
  const answer = Promise.resolve(identity);
  return { identity: () => answer };
}

/** An identity that the program itself swaps: `set` a renewed certificate and the next connection uses it. */
export interface SwappableCredentials extends Credentials {
  set(identity: Identity): void;
}

export function swappableCredentials(first: Identity): SwappableCredentials {
  let answer = Promise.resolve(first);
  return {
    identity: () => answer,
    set(identity) {
      answer = Promise.resolve(identity);
    },
  };
}
