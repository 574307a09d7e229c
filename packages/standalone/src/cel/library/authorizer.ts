import type { Library } from '../functions.ts';
import type { Opaque } from '../values.ts';

/** What is asked of an authorizer. */
export interface AuthorizationQuery {
  verb: string;
  path?: string;
  group?: string;
  resource?: string;
  subresource?: string;
  namespace?: string;
  name?: string;
  fieldSelector?: string;
  labelSelector?: string;
  /** Another identity's rights, where `authorizer.serviceAccount(namespace, name)` asked. */
  serviceAccount?: { namespace: string; name: string };
}

/** Answers for the request's user (or the service account asked for). */
export type Authorizer = (query: AuthorizationQuery) => { allowed: boolean; reason: string };

/** The steps `authorizer.group('apps').resource('deployments').check('create')`, each a new value. */
export class Check implements Opaque {
  readonly opaqueType: string;
  readonly authorizer: Authorizer;
  readonly query: Partial<AuthorizationQuery>;
  constructor(opaqueType: string, authorizer: Authorizer, query: Partial<AuthorizationQuery> = {}) {
    this.opaqueType = opaqueType;
    this.authorizer = authorizer;
    this.query = query;
  }
  with(type: string, query: Partial<AuthorizationQuery>): Check {
    return new Check(type, this.authorizer, { ...this.query, ...query });
  }
  equals(other: Opaque): boolean {
    return other === this;
  }
}

class Decision implements Opaque {
  readonly opaqueType = 'kubernetes.authorization.Decision';
  readonly allowed: boolean;
  readonly reason: string;
  readonly error: string;
  constructor(allowed: boolean, reason: string, error: string) {
    this.allowed = allowed;
    this.reason = reason;
    this.error = error;
  }
  equals(other: Opaque): boolean {
    return other === this;
  }
}

export const AUTHORIZER_TYPE = 'kubernetes.authorization.Authorizer';
const PATH = 'kubernetes.authorization.PathCheck';
const GROUP = 'kubernetes.authorization.GroupCheck';
const RESOURCE = 'kubernetes.authorization.ResourceCheck';
const DECISION = 'kubernetes.authorization.Decision';

/** The authorizer's functions, for admission policies. */
export function addAuthorizer(library: Library): void {
  library.add(`${AUTHORIZER_TYPE}.path(string): ${PATH}`, (c: Check, path: string) => c.with(PATH, { path }));
  library.add(`${AUTHORIZER_TYPE}.group(string): ${GROUP}`, (c: Check, group: string) =>
    c.with(GROUP, { group }),
  );
  library.add(
    `${AUTHORIZER_TYPE}.serviceAccount(string, string): ${AUTHORIZER_TYPE}`,
    (c: Check, namespace: string, name: string) =>
      c.with(AUTHORIZER_TYPE, { serviceAccount: { namespace, name } }),
  );
  library.add(`${GROUP}.resource(string): ${RESOURCE}`, (c: Check, resource: string) =>
    c.with(RESOURCE, { resource }),
  );
  for (const name of ['subresource', 'namespace', 'name', 'fieldSelector', 'labelSelector'] as const)
    library.add(`${RESOURCE}.${name}(string): ${RESOURCE}`, (c: Check, value: string) =>
      c.with(RESOURCE, { [name]: value }),
    );
  for (const type of [PATH, RESOURCE]) library.add(`${type}.check(string): ${DECISION}`, decide);
  library.add(`${DECISION}.allowed(): bool`, (d: Decision) => d.allowed);
  library.add(`${DECISION}.reason(): string`, (d: Decision) => d.reason);
  library.add(`${DECISION}.errored(): bool`, (d: Decision) => d.error !== '');
  library.add(`${DECISION}.error(): string`, (d: Decision) => d.error);
}

function decide(check: Check, verb: string): Decision {
  try {
    const { allowed, reason } = check.authorizer({ ...check.query, verb });
    return new Decision(allowed, reason, '');
  } catch (error) {
    return new Decision(false, '', error instanceof Error ? error.message : String(error));
  }
}
