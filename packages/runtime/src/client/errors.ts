/** What the API server says in a Status object, or what stands for it where the answer was no Status. */
export interface StatusBody {
  readonly reason: string;
  readonly message: string;
  readonly causes: readonly StatusCause[];
  /** Name of the object that the error is about, where the server names one. */
  readonly object?: string;
}
export interface StatusCause {
  /** Path of the field, such as `spec.rollout.batches[0]`; '' where the cause is no field. */
  readonly field: string;
  readonly reason: string;
  readonly message: string;
}

const apiErrorBrand = Symbol.for('kubenode.io/runtime/ApiError');
const connectionErrorBrand = Symbol.for('kubenode.io/runtime/ConnectionError');

/** The API server answered, and the answer is an error. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  /** HTTP status code. */
  readonly status: number;
  /** `NotFound`, `Conflict`, `Invalid`...; '' where the server gave none. */
  readonly reason: string;
  readonly causes: readonly StatusCause[];
  /** Name of the object that the error is about; undefined where the server names none. */
  readonly object: string | undefined;
  /** The server's Retry-After in milliseconds. */
  readonly retryAfterMs: number | undefined;
  /** Such as `PATCH /apis/...`: no query, so no secret. */
  readonly request: string;

  constructor(status: number, body: StatusBody, request: string, retryAfterMs?: number) {
    super(`${request}: ${status}${body.reason === '' ? '' : ` ${body.reason}`}: ${body.message}`);
    this.status = status;
    this.reason = body.reason;
    this.causes = body.causes;
    this.object = body.object;
    this.request = request;
    this.retryAfterMs = retryAfterMs;
  }

  get [apiErrorBrand](): true {
    return true;
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    return typeof value === 'object' && value !== null && apiErrorBrand in value;
  }
}

/** No (whole) answer came: refused, reset, timed out, a certificate not trusted. */
export class ConnectionError extends Error {
  override readonly name = 'ConnectionError';
  /** Node's error code, such as ECONNREFUSED, or `TIMEOUT`, or `TRUNCATED` for an answer that broke off. */
  readonly code: string;
  /** True where the request certainly never reached the server. */
  readonly neverSent: boolean;

  constructor(message: string, code: string, neverSent: boolean) {
    super(message);
    this.code = code;
    this.neverSent = neverSent;
  }

  get [connectionErrorBrand](): true {
    return true;
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    return typeof value === 'object' && value !== null && connectionErrorBrand in value;
  }
}

function has(error: unknown, status: number, reason?: string): boolean {
  return (
    error instanceof ApiError && error.status === status && (reason === undefined || error.reason === reason)
  );
}

/** 404: the object is not there, or its whole kind (see isKindMissing). */
export function isNotFound(error: unknown): error is ApiError {
  return has(error, 404);
}
/** 404 because the kind isn't served (its CRD is not installed, or was deleted): says nothing about any object. */
export function isKindMissing(error: unknown): error is ApiError {
  return isNotFound(error) && error.object === undefined;
}
/** 409 Conflict: somebody wrote in between, or another field manager owns a field. */
export function isConflict(error: unknown): error is ApiError {
  return has(error, 409) && !has(error, 409, 'AlreadyExists');
}
/** 409 AlreadyExists. */
export function isAlreadyExists(error: unknown): error is ApiError {
  return has(error, 409, 'AlreadyExists');
}
/** 410: the resourceVersion or continue token is too old. */
export function isGone(error: unknown): error is ApiError {
  return has(error, 410);
}
/** 422: the object breaks a rule; `causes` names the fields. */
export function isInvalid(error: unknown): error is ApiError {
  return has(error, 422);
}
/** 403. */
export function isForbidden(error: unknown): error is ApiError {
  return has(error, 403);
}
/** 401. */
export function isUnauthorized(error: unknown): error is ApiError {
  return has(error, 401);
}
/** 429. */
export function isTooManyRequests(error: unknown): error is ApiError {
  return has(error, 429);
}
/** The server could not be reached, or said that it can't serve now: the same request may succeed later. */
export function isUnavailable(error: unknown): boolean {
  return (
    error instanceof ConnectionError ||
    (error instanceof ApiError && (error.status === 429 || error.status >= 500))
  );
}
