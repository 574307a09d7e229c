import { isObj, list, strings, text, at, type KubeObject, type Obj } from '../object.ts';
import type { Request } from '../registry/request.ts';

/** What a rule is compared with. */
export interface Subject {
  request: Request;
  operation: string;
  object: KubeObject | null;
  old: KubeObject | null;
  /** The object's Namespace; null for what is cluster-scoped. */
  namespace: KubeObject | null;
}

/** Whether `matchConstraints` or `matchResources` take the request in. Absent constraints take everything. */
export function matches(constraints: unknown, subject: Subject): boolean {
  if (!isObj(constraints)) return true;
  const rules = list(constraints, 'resourceRules');
  if (rules.length > 0 && !rules.some((rule) => ruleMatches(rule, subject))) return false;
  if (list(constraints, 'excludeResourceRules').some((rule) => ruleMatches(rule, subject))) return false;
  if (!namespaceMatches(constraints['namespaceSelector'], subject)) return false;
  const selector = constraints['objectSelector'];
  return [subject.object, subject.old].some(
    (object) => object !== null && selectorMatches(selector, object.metadata.labels ?? {}),
  );
}

function ruleMatches(rule: unknown, subject: Subject): boolean {
  const { request, operation } = subject;
  const { resource, version, subresource, name } = request;
  const operations = strings(rule, 'operations');
  if (!operations.includes('*') && !operations.includes(operation)) return false;
  if (!wild(strings(rule, 'apiGroups'), resource.group)) return false;
  if (!wild(strings(rule, 'apiVersions'), version.name)) return false;
  const scope = text(rule, 'scope') ?? '*';
  if (scope === 'Namespaced' && !resource.namespaced) return false;
  if (scope === 'Cluster' && resource.namespaced) return false;
  const names = strings(rule, 'resourceNames');
  if (names.length > 0 && !names.includes(name)) return false;
  return strings(rule, 'resources').some((wanted) => {
    const [main = '', sub = ''] = wanted.split('/');
    if (main !== '*' && main !== resource.plural) return false;
    return sub === '*' || sub === subresource;
  });
}

function wild(wanted: string[], value: string): boolean {
  return wanted.includes('*') || wanted.includes(value);
}

function namespaceMatches(selector: unknown, subject: Subject): boolean {
  if (!isObj(selector) || isEmpty(selector)) return true;
  const { resource } = subject.request;
  if (resource.id === 'namespaces') {
    const object = subject.object ?? subject.old;
    return selectorMatches(selector, object?.metadata.labels ?? {});
  }
  if (!resource.namespaced) return true;
  return selectorMatches(selector, subject.namespace?.metadata.labels ?? {});
}

function isEmpty(selector: Obj): boolean {
  return (
    list(selector, 'matchExpressions').length === 0 &&
    Object.keys(at(selector, 'matchLabels') ?? {}).length === 0
  );
}

/** A `metav1.LabelSelector`; absent and empty select everything. */
export function selectorMatches(selector: unknown, labels: Record<string, string>): boolean {
  if (!isObj(selector)) return true;
  const wanted = selector['matchLabels'];
  if (isObj(wanted) && !Object.entries(wanted).every(([key, value]) => labels[key] === value)) return false;
  return list(selector, 'matchExpressions').every((expression) => {
    const key = text(expression, 'key') ?? '';
    const values = strings(expression, 'values');
    const value = labels[key];
    switch (text(expression, 'operator')) {
      case 'In':
        return value !== undefined && values.includes(value);
      case 'NotIn':
        return value === undefined || !values.includes(value);
      case 'Exists':
        return value !== undefined;
      case 'DoesNotExist':
        return value === undefined;
      case undefined:
      default:
        return false;
    }
  });
}
