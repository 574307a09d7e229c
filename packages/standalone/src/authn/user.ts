/** Who makes a request, as SubjectAccessReview and admission see it. */
export interface User {
  username: string;
  uid?: string;
  groups: string[];
  extra?: Record<string, string[]>;
}

export const AUTHENTICATED = 'system:authenticated';
export const UNAUTHENTICATED = 'system:unauthenticated';
export const MASTERS = 'system:masters';
export const NODES = 'system:nodes';
export const BOOTSTRAPPERS = 'system:bootstrappers';

export const ANONYMOUS: User = { username: 'system:anonymous', groups: [UNAUTHENTICATED] };

/** The server's own parts: garbage collection, namespace deletion, signing. */
export const SELF: User = { username: 'system:apiserver', groups: [MASTERS, AUTHENTICATED] };

/** `system:node:<name>` in group system:nodes: the node's name; otherwise undefined. */
export function nodeOf(user: User): string | undefined {
  if (!user.username.startsWith('system:node:') || !user.groups.includes(NODES)) return undefined;
  return user.username.slice('system:node:'.length);
}
