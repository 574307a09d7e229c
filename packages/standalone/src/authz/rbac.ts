import { list, text, type KubeObject } from '../object.ts';
import type { Change } from '../store/change.ts';
import type { Store } from '../store/store.ts';
import type { User } from '../authn/user.ts';
import type { Attributes, Decision } from './attributes.ts';
import { allows, rulesOf, type PolicyRule } from './rules.ts';

interface Binding {
  name: string;
  kind: 'RoleBinding' | 'ClusterRoleBinding';
  /** Empty: the whole cluster. */
  namespace: string;
  role: string;
  subjects: string[];
}

const RESOURCES = ['roles', 'clusterroles', 'rolebindings', 'clusterrolebindings'];

/**
 * Role based access control over the stored roles and bindings. Bindings are indexed by subject, so a request costs the
 * bindings of its own user and groups only, however many there are.
 */
export class Rbac {
  readonly #roles = new Map<string, PolicyRule[]>();
  readonly #bindings = new Map<string, Binding>();
  readonly #bySubject = new Map<string, Set<Binding>>();

  constructor(store: Store) {
    for (const resource of RESOURCES) for (const object of store.all(resource)) this.#set(resource, object);
  }

  /** Follows the store. */
  observe(change: Change): void {
    if (!RESOURCES.includes(change.resource)) return;
    if (change.type === 'DELETED') this.#drop(change.resource, change.object);
    else this.#set(change.resource, change.object);
  }

  #set(resource: string, object: KubeObject): void {
    this.#drop(resource, object);
    const key = `${resource}/${object.metadata.namespace ?? ''}/${object.metadata.name}`;
    if (!resource.endsWith('bindings')) {
      this.#roles.set(key, rulesOf(object));
      return;
    }
    const namespace = object.metadata.namespace ?? '';
    const kind = text(object, 'roleRef', 'kind') ?? '';
    const role = text(object, 'roleRef', 'name') ?? '';
    const binding: Binding = {
      name: namespace ? `${object.metadata.name}/${namespace}` : object.metadata.name,
      kind: namespace ? 'RoleBinding' : 'ClusterRoleBinding',
      namespace,
      role: kind === 'Role' ? `roles/${namespace}/${role}` : `clusterroles//${role}`,
      subjects: list(object, 'subjects').map(subjectKey),
    };
    this.#bindings.set(key, binding);
    for (const subject of binding.subjects) {
      const set = this.#bySubject.get(subject) ?? new Set();
      set.add(binding);
      this.#bySubject.set(subject, set);
    }
  }

  #drop(resource: string, object: KubeObject): void {
    const key = `${resource}/${object.metadata.namespace ?? ''}/${object.metadata.name}`;
    this.#roles.delete(key);
    const binding = this.#bindings.get(key);
    if (!binding) return;
    this.#bindings.delete(key);
    for (const subject of binding.subjects) {
      const set = this.#bySubject.get(subject);
      set?.delete(binding);
      if (set?.size === 0) this.#bySubject.delete(subject);
    }
  }

  *#rules(user: User, namespace: string): Generator<{ rule: PolicyRule; binding: Binding; subject: string }> {
    for (const subject of [`User ${user.username}`, ...user.groups.map((group) => `Group ${group}`)]) {
      for (const binding of this.#bySubject.get(subject) ?? []) {
        if (binding.namespace !== '' && binding.namespace !== namespace) continue;
        for (const rule of this.#roles.get(binding.role) ?? []) yield { rule, binding, subject };
      }
    }
  }

  authorize(a: Attributes): Decision | undefined {
    const found = [...this.#rules(a.user, a.namespace)].filter(({ rule }) => allows(rule, a));
    // The first that the real server would meet: bindings of the cluster by name, then those of the namespace.
    const [first] = found.sort((x, y) => (order(x.binding) < order(y.binding) ? -1 : 1));
    if (!first) return undefined;
    const [, , role = ''] = first.binding.role.split('/');
    const kind = first.binding.role.startsWith('roles/') ? 'Role' : 'ClusterRole';
    const [what, ...who] = first.subject.split(' ');
    return {
      allowed: true,
      reason: `RBAC: allowed by ${first.binding.kind} "${first.binding.name}" of ${kind} "${role}" to ${what} "${who.join(' ')}"`,
    };
  }

  /** Every rule that applies to the user in the namespace, for SelfSubjectRulesReview. */
  rulesFor(user: User, namespace: string): PolicyRule[] {
    return [...this.#rules(user, namespace)].map(({ rule }) => rule);
  }

  /** Whether the user already holds all that the rules give; what keeps people from granting more than they have. */
  covers(user: User, namespace: string, rules: PolicyRule[]): boolean {
    const held = this.rulesFor(user, namespace);
    return rules.every((rule) => covered(rule, held));
  }
}

function order(binding: Binding): string {
  return `${binding.kind} ${binding.name}`;
}

function covered(rule: PolicyRule, held: PolicyRule[]): boolean {
  const names = rule.resourceNames?.length ? rule.resourceNames : [''];
  const within = (have: string[] | undefined, want: string): boolean =>
    have !== undefined && (have.includes('*') || have.includes(want));
  for (const verb of rule.verbs) {
    for (const url of rule.nonResourceURLs ?? []) {
      const ok = held.some(
        (h) =>
          within(h.verbs, verb) &&
          (h.nonResourceURLs ?? []).some(
            (own) => own === '*' || own === url || (own.endsWith('*') && url.startsWith(own.slice(0, -1))),
          ),
      );
      if (!ok) return false;
    }
    for (const group of rule.apiGroups ?? []) {
      for (const resource of rule.resources ?? []) {
        for (const name of names) {
          const ok = held.some(
            (h) =>
              within(h.verbs, verb) &&
              within(h.apiGroups, group) &&
              (within(h.resources, resource) ||
                (resource.includes('/') && within(h.resources, `*/${resource.split('/')[1]}`))) &&
              (!h.resourceNames?.length || h.resourceNames.includes(name)),
          );
          if (!ok) return false;
        }
      }
    }
  }
  return true;
}

function subjectKey(subject: unknown): string {
  const kind = text(subject, 'kind') ?? '';
  const name = text(subject, 'name') ?? '';
  if (kind === 'ServiceAccount') {
    return `User system:serviceaccount:${text(subject, 'namespace') ?? ''}:${name}`;
  }
  return `${kind} ${name}`;
}
