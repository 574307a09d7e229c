import { isObj, strings, type KubeObject } from '../object.ts';
import type { Attributes } from './attributes.ts';

/** `rbac.authorization.k8s.io/v1` PolicyRule. */
export interface PolicyRule {
  verbs: string[];
  apiGroups?: string[];
  resources?: string[];
  resourceNames?: string[];
  nonResourceURLs?: string[];
}

/** Reads the rules of a Role or ClusterRole; what is no rule is left out. */
export function rulesOf(role: KubeObject): PolicyRule[] {
  const { rules } = role;
  if (!Array.isArray(rules)) return [];
  return rules.filter(isObj).map((rule) => ({
    verbs: strings(rule, 'verbs'),
    apiGroups: strings(rule, 'apiGroups'),
    resources: strings(rule, 'resources'),
    resourceNames: strings(rule, 'resourceNames'),
    nonResourceURLs: strings(rule, 'nonResourceURLs'),
  }));
}

function has(list: string[] | undefined, value: string): boolean {
  return list !== undefined && (list.includes('*') || list.includes(value));
}

/** True when the rule allows what is asked. */
export function allows(rule: PolicyRule, a: Attributes): boolean {
  if (!has(rule.verbs, a.verb)) return false;
  const { path } = a;
  if (path !== undefined) {
    return (rule.nonResourceURLs ?? []).some(
      (url) => url === '*' || url === path || (url.endsWith('*') && path.startsWith(url.slice(0, -1))),
    );
  }
  if (!has(rule.apiGroups, a.group)) return false;
  const wanted = a.subresource ? `${a.resource}/${a.subresource}` : a.resource;
  const resource =
    has(rule.resources, wanted) || (a.subresource !== '' && has(rule.resources, `*/${a.subresource}`));
  if (!resource) return false;
  return !rule.resourceNames?.length || rule.resourceNames.includes(a.name);
}
