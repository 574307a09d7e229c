import type { IncomingHttpHeaders } from 'node:http';
import type { Attributes } from '../authz/attributes.ts';
import { refusal } from '../authz/attributes.ts';
import type { Authorizer } from '../authz/authorizer.ts';
import { badRequest, forbidden } from '../http/status.ts';
import { AUTHENTICATED, UNAUTHENTICATED, type User } from './user.ts';

/** The user to act as, where `Impersonate-*` headers ask for one. @throws ApiError 403 for who may not. */
export function impersonate(user: User, headers: IncomingHttpHeaders, authorizer: Authorizer): User {
  const username = one(headers['impersonate-user']);
  const groups = many(headers['impersonate-group']);
  const uid = one(headers['impersonate-uid']);
  const extra = Object.entries(headers).filter(([key]) => key.startsWith('impersonate-extra-'));
  if (username === undefined) {
    if (groups.length > 0 || uid !== undefined || extra.length > 0) {
      throw badRequest('requested impersonation of groups, uid or extra without a user');
    }
    return user;
  }
  const check = (resource: string, name: string, subresource = '', namespace = '', group = ''): void => {
    const attributes: Attributes = {
      user,
      verb: 'impersonate',
      group,
      version: 'v1',
      resource,
      subresource,
      namespace,
      name,
    };
    if (authorizer.authorize(attributes).allowed) return;
    throw forbidden({ group, resource }, name, refusal(attributes));
  };
  const account = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(username);
  const ownGroups: string[] = [];
  if (account) {
    check('serviceaccounts', account[2] ?? '', '', account[1]);
    if (groups.length === 0) {
      ownGroups.push('system:serviceaccounts', `system:serviceaccounts:${account[1]}`);
    }
  } else check('users', username);
  for (const group of groups) check('groups', group);
  if (uid !== undefined) check('uids', uid, '', '', 'authentication.k8s.io');
  const extras: Record<string, string[]> = {};
  for (const [key, values] of extra) {
    const name = decodeURIComponent(key.slice('impersonate-extra-'.length));
    extras[name] = many(values);
    for (const value of extras[name]) check('userextras', value, name, '', 'authentication.k8s.io');
  }
  const all = [...groups, ...ownGroups];
  const anonymous = username === 'system:anonymous';
  const always = anonymous ? UNAUTHENTICATED : AUTHENTICATED;
  if (!all.includes(AUTHENTICATED) && !all.includes(UNAUTHENTICATED)) all.push(always);
  return {
    username,
    groups: all,
    ...(uid === undefined ? {} : { uid }),
    ...(extra.length > 0 ? { extra: extras } : {}),
  };
}

function one(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header;
}

/** Node joins repeated headers with a comma, which no group name has. */
function many(header: string | string[] | undefined): string[] {
  if (header === undefined) return [];
  return (Array.isArray(header) ? header : [header])
    .flatMap((value) => value.split(','))
    .map((v) => v.trim());
}
