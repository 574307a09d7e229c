import type { Tokens } from '../authn/tokens.ts';
import type { User } from '../authn/user.ts';
import { child, isObj, strings, text, time, type Obj } from '../object.ts';
import { invalid } from '../http/status.ts';
import { badValue } from '../registry/metadata.ts';
import type { Attributes } from './attributes.ts';
import type { Authorizer } from './authorizer.ts';

/** Answers the kinds that ask who one is and what one may do. Undefined for a kind that is none of them. */
export function review(
  kind: string,
  object: Obj,
  user: User,
  namespace: string,
  parts: { authorizer: Authorizer; tokens: Tokens; now: number },
): Obj | undefined {
  const spec = child(object, 'spec');
  const metadata = { ...child(object, 'metadata') };
  switch (kind) {
    case 'SelfSubjectAccessReview':
      if (isObj(spec['resourceAttributes']) === isObj(spec['nonResourceAttributes'])) {
        throw invalid({ group: 'authorization.k8s.io', resource: '' }, '', [
          badValue(
            'spec.resourceAttributes',
            null,
            'exactly one of nonResourceAttributes or resourceAttributes must be specified',
          ),
        ]);
      }
      return { ...object, metadata, status: access(spec, user, parts.authorizer) };
    case 'SubjectAccessReview':
    case 'LocalSubjectAccessReview': {
      const groups = strings(spec, 'groups');
      const about: User = { username: text(spec, 'user') ?? '', groups };
      const attributes = child(spec, 'resourceAttributes');
      const inside =
        kind === 'LocalSubjectAccessReview' ? { resourceAttributes: { ...attributes, namespace } } : {};
      return { ...object, metadata, status: access({ ...spec, ...inside }, about, parts.authorizer) };
    }
    case 'SelfSubjectRulesReview':
      return { ...object, metadata, status: rules(text(spec, 'namespace') ?? '', user, parts.authorizer) };
    case 'SelfSubjectReview':
      return {
        ...object,
        metadata: { ...metadata, creationTimestamp: time(parts.now) },
        status: { userInfo: userInfo(user) },
      };
    case 'TokenReview': {
      const found = parts.tokens.authenticate(text(spec, 'token') ?? '', parts.now);
      const status = found
        ? { authenticated: true, user: userInfo(found) }
        : { user: {}, error: 'invalid bearer token' };
      return { ...object, metadata, status };
    }
    default:
      return undefined;
  }
}

export function userInfo(user: User): Obj {
  return {
    username: user.username,
    ...(user.uid ? { uid: user.uid } : {}),
    groups: user.groups,
    ...(user.extra ? { extra: user.extra } : {}),
  };
}

function access(spec: Obj, user: User, authorizer: Authorizer): Obj {
  const resource = spec['resourceAttributes'];
  const other = child(spec, 'nonResourceAttributes');
  const get = (key: string): string => (isObj(resource) ? (text(resource, key) ?? '') : '');
  const attributes: Attributes = {
    user,
    verb: isObj(resource) ? get('verb') : (text(other, 'verb') ?? ''),
    group: get('group'),
    version: get('version'),
    resource: get('resource'),
    subresource: get('subresource'),
    namespace: get('namespace'),
    name: get('name'),
    ...(isObj(resource) ? {} : { path: text(other, 'path') ?? '' }),
  };
  const decision = authorizer.authorize(attributes);
  return { allowed: decision.allowed, ...(decision.reason ? { reason: decision.reason } : {}) };
}

function rules(namespace: string, user: User, authorizer: Authorizer): Obj {
  const found = user.groups.includes('system:masters')
    ? [
        { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
        { verbs: ['*'], nonResourceURLs: ['*'] },
        ...authorizer.rbac.rulesFor(user, namespace),
      ]
    : authorizer.rbac.rulesFor(user, namespace);
  const nonEmpty = (list: string[] | undefined, key: string): Obj => (list?.length ? { [key]: list } : {});
  return {
    resourceRules: found
      .filter((rule) => rule.resources?.length)
      .map((rule) => ({
        verbs: rule.verbs,
        ...nonEmpty(rule.apiGroups, 'apiGroups'),
        ...nonEmpty(rule.resources, 'resources'),
        ...nonEmpty(rule.resourceNames, 'resourceNames'),
      })),
    nonResourceRules: found
      .filter((rule) => rule.nonResourceURLs?.length)
      .map((rule) => ({ verbs: rule.verbs, nonResourceURLs: rule.nonResourceURLs })),
    incomplete: false,
  };
}
