/** A cause in a Status. */
export interface Cause {
  reason: string;
  message: string;
  field: string;
}

/** The HTTP codes with which an apply or a patch can fail. */
export type ApplyErrorCode = 400 | 409 | 422 | 500;

const REASONS = { 400: 'BadRequest', 409: 'Conflict', 422: 'Invalid', 500: 'InternalError' } as const;

/** An error to be answered with a Status: its message, code and reason are the real server's. */
export class ApplyError extends Error {
  override readonly name: string = 'ApplyError';
  readonly code: ApplyErrorCode;
  /** metav1.StatusReason. The real server gives a 500 of the apply no reason: leave it out there. */
  readonly reason: (typeof REASONS)[ApplyErrorCode];
  /** status.details.causes: for conflicts one per field. */
  readonly causes: readonly Cause[];

  constructor(code: ApplyErrorCode, message: string, causes: readonly Cause[] = [], options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.reason = REASONS[code];
    this.causes = causes;
  }
}

/** A field that somebody else owns with another value. */
export interface Conflict {
  /** The owner as people read it: `"set-a"`, `"editor" using v1`, `"x" with subresource "status" using v1`. */
  owner: string;
  path: string;
}

/** An apply that would change fields of others. */
export class ConflictError extends ApplyError {
  override readonly name = 'ConflictError';
  readonly conflicts: readonly Conflict[];

  constructor(conflicts: readonly Conflict[]) {
    super(409, conflictMessage(conflicts), conflicts.map(cause));
    this.conflicts = conflicts;
  }
}

function cause(conflict: Conflict): Cause {
  return { reason: 'FieldManagerConflict', message: `conflict with ${conflict.owner}`, field: conflict.path };
}

function conflictMessage(conflicts: readonly Conflict[]): string {
  const [first] = conflicts;
  if (conflicts.length === 1 && first !== undefined)
    return `Apply failed with 1 conflict: conflict with ${first.owner}: ${first.path}`;
  const owners = [...new Set(conflicts.map((c) => c.owner))].sort();
  const texts = owners.map((owner) => {
    const paths = conflicts.filter((c) => c.owner === owner).map((c) => `- ${c.path}`);
    return `conflicts with ${owner}:\n${paths.join('\n')}`;
  });
  return `Apply failed with ${conflicts.length} conflicts: ${texts.join('\n')}`;
}
