import type { Obj } from '../object.ts';

/** One entry of `Status.details.causes`. */
export interface Cause {
  reason?: string;
  message?: string;
  field?: string;
}

/** A failed request, as the `Status` object that the client gets. */
export class ApiError extends Error {
  readonly code: number;
  readonly reason: string;
  readonly details: Obj | undefined;

  constructor(code: number, reason: string, message: string, details?: Obj) {
    super(message);
    this.name = 'ApiError';
    this.code = code;
    this.reason = reason;
    this.details = details;
  }

  /** The `metav1.Status` body, with keys in the real server's order. */
  get status(): Obj {
    return {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: this.message,
      ...(this.reason ? { reason: this.reason } : {}),
      ...(this.details ? { details: this.details } : {}),
      code: this.code,
    };
  }
}

/** What an error is about: `{group, resource}`; for 422 `resource` is the kind. */
export interface About {
  group: string;
  resource: string;
}

/** `machines.kubenode.io`, or `nodes` for the core group. */
export function qualified(about: About): string {
  return about.group ? `${about.resource}.${about.group}` : about.resource;
}

function details(about: About, name: string, more: Obj = {}): Obj {
  return {
    ...(name ? { name } : {}),
    ...(about.group ? { group: about.group } : {}),
    ...(about.resource ? { kind: about.resource } : {}),
    ...more,
  };
}

export function notFound(about: About, name: string): ApiError {
  return new ApiError(404, 'NotFound', `${qualified(about)} "${name}" not found`, details(about, name));
}

export function alreadyExists(about: About, name: string): ApiError {
  return new ApiError(
    409,
    'AlreadyExists',
    `${qualified(about)} "${name}" already exists`,
    details(about, name),
  );
}

export function conflict(about: About, name: string, why: string): ApiError {
  return new ApiError(
    409,
    'Conflict',
    `Operation cannot be fulfilled on ${qualified(about)} "${name}": ${why}`,
    details(about, name),
  );
}

export const MODIFIED =
  'the object has been modified; please apply your changes to the latest version and try again';

export function badRequest(message: string): ApiError {
  return new ApiError(400, 'BadRequest', message);
}

export function forbidden(about: About, name: string, why: string): ApiError {
  return new ApiError(
    403,
    'Forbidden',
    `${qualified(about)}${name || about.resource ? ` "${name}"` : ''} is forbidden: ${why}`,
    details(about, name),
  );
}

/** 422 with its causes. `kind` is the object's kind; a cause is printed as `field: message`. */
export function invalid(kind: About, name: string, causes: Cause[]): ApiError {
  const lines = [...new Set(causes.map((cause) => `${cause.field ?? '<nil>'}: ${cause.message ?? ''}`))];
  const shown = lines.length === 1 ? (lines[0] ?? '') : `[${lines.join(', ')}]`;
  return new ApiError(
    422,
    'Invalid',
    `${qualified(kind)} "${name}" is invalid: ${shown}`,
    details(kind, name, { causes }),
  );
}

export function tooLarge(wanted: number, current: number): ApiError {
  return new ApiError(504, 'Timeout', `Timeout: Too large resource version: ${wanted}, current: ${current}`, {
    causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
    retryAfterSeconds: 1,
  });
}

export function expired(message: string): ApiError {
  return new ApiError(410, 'Expired', message);
}

export function methodNotAllowed(): ApiError {
  return new ApiError(
    405,
    'MethodNotAllowed',
    'the server does not allow this method on the requested resource',
    {},
  );
}

/** The 404 for a path that names no resource. */
export function noSuchPath(): ApiError {
  return new ApiError(404, 'NotFound', 'the server could not find the requested resource', {});
}
