import type { User } from '../authn/user.ts';

/** What a request wants to do, as authorizers see it. */
export interface Attributes {
  user: User;
  verb: string;
  /** Empty for the core group. */
  group: string;
  version: string;
  /** Plural; empty where `path` is asked for. */
  resource: string;
  subresource: string;
  /** Empty at the cluster's scope, and for a request over all namespaces. */
  namespace: string;
  name: string;
  /** Of a list, watch or deletion of many, as it was given. */
  fieldSelector?: string;
  /** For requests that are about no resource: `/healthz`. */
  path?: string;
}

/** An authorizer's answer; `undefined` leaves it to the next. */
export interface Decision {
  allowed: boolean;
  reason: string;
}

/** In the real server's words. */
export function refusal(a: Attributes): string {
  const who = `User ${JSON.stringify(a.user.username)} cannot ${a.verb}`;
  if (a.path !== undefined) return `${who} path ${JSON.stringify(a.path)}`;
  const resource = a.subresource ? `${a.resource}/${a.subresource}` : a.resource;
  const where = a.namespace ? `in the namespace ${JSON.stringify(a.namespace)}` : 'at the cluster scope';
  return `${who} resource ${JSON.stringify(resource)} in API group ${JSON.stringify(a.group)} ${where}`;
}
