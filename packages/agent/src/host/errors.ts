/** A unit that could not be brought where it should be. The text names unit, job, result and its last log lines. */
export class ServiceError extends Error {
  override readonly name = 'ServiceError';
  readonly unit: string;
  /** systemd's word for it (`failed`, `timeout`, `dependency`, `exit-code`...), or `unavailable` when the manager did not answer. */
  readonly result: string;
  /** True when the same call may work a moment later (the manager restarted, the connection broke). */
  readonly retriable: boolean;

  constructor(
    unit: string,
    result: string,
    message: string,
    options: { retriable?: boolean; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.unit = unit;
    this.result = result;
    this.retriable = options.retriable ?? false;
  }
}

/** An artifact that cannot be had or must not be used. The text names the address, what happened and what to do. */
export class ArtifactError extends Error {
  override readonly name = 'ArtifactError';
  /** The address without credentials. */
  readonly address: string;
  readonly reason: ArtifactErrorReason;

  constructor(
    address: string,
    reason: ArtifactErrorReason,
    message: string,
    options: { cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.address = address;
    this.reason = reason;
  }
}
/** Unreachable is worth another try later; the others need somebody to change something. */
export type ArtifactErrorReason =
  | 'Unreachable'
  | 'NotFound'
  | 'Denied'
  | 'DigestMismatch'
  | 'Malformed'
  | 'Unsafe'
  | 'NoSpace'
  | 'Unsupported'
  | 'Invalid';

/** A Debian package that could not be installed, removed or asked about. Carries the end of dpkg's own output. */
export class PackageError extends Error {
  override readonly name = 'PackageError';
  readonly package: string;

  constructor(packageName: string, message: string, options: { cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.package = packageName;
  }
}

/** A file operation that makes no sense or would harm the host: an owner nobody knows, removing a top-level folder. */
export class HostFileError extends Error {
  override readonly name = 'HostFileError';
  readonly path: string;

  constructor(path: string, message: string, options: { cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.path = path;
  }
}
