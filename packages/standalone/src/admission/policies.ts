import { randomUUID } from 'node:crypto';
import type { Authorizer } from '../authz/authorizer.ts';
import { userInfo } from '../authz/reviews.ts';
import { compilePolicy, evaluatePolicy, type CompiledPolicy, type PolicySpec } from '../cel/index.ts';
import { ApiError, qualified } from '../http/status.ts';
import { at, child, isObj, strings, text, type KubeObject, type Obj } from '../object.ts';
import type { Admission } from '../registry/registry.ts';
import type { Request } from '../registry/request.ts';
import { apiVersion, type Resources } from '../registry/resource.ts';
import type { Change } from '../store/change.ts';
import type { Store, Transaction } from '../store/store.ts';
import { matches, selectorMatches, type Subject } from './match.ts';

const POLICIES = 'validatingadmissionpolicies';
const BINDINGS = 'validatingadmissionpolicybindings';

const CODES = { Unauthorized: 401, Forbidden: 403, Invalid: 422, RequestEntityTooLarge: 413 };

interface Denial {
  binding: KubeObject;
  message: string;
  reason: keyof typeof CODES;
}

/** ValidatingAdmissionPolicies: every policy with each of its bindings. */
export class Policies implements Admission {
  readonly #store: Store;
  readonly #resources: Resources;
  readonly #authorizer: Authorizer;
  readonly #policies = new Map<string, { object: KubeObject; compiled: CompiledPolicy }>();
  readonly #bindings = new Map<string, KubeObject>();

  constructor(store: Store, resources: Resources, authorizer: Authorizer) {
    this.#store = store;
    this.#resources = resources;
    this.#authorizer = authorizer;
    for (const object of store.all(POLICIES)) this.#set(POLICIES, object);
    for (const object of store.all(BINDINGS)) this.#set(BINDINGS, object);
    store.subscribe((change) => this.#observe(change));
  }

  #observe(change: Change): void {
    if (change.resource !== POLICIES && change.resource !== BINDINGS) return;
    if (change.type !== 'DELETED') this.#set(change.resource, change.object);
    else if (change.resource === POLICIES) this.#policies.delete(change.name);
    else this.#bindings.delete(change.name);
  }

  #set(resource: string, object: KubeObject): void {
    const { name } = object.metadata;
    if (resource === BINDINGS) this.#bindings.set(name, object);
    else {
      const compiled = compilePolicy(child(object, 'spec') as PolicySpec);
      this.#policies.set(name, { object, compiled });
    }
  }

  admit(
    request: Request,
    operation: 'CREATE' | 'UPDATE' | 'DELETE',
    object: KubeObject | null,
    old: KubeObject | null,
    tx: Transaction,
  ): void {
    // A policy can't keep people from changing policies.
    if (request.resource.group === 'admissionregistration.k8s.io' || this.#bindings.size === 0) return;
    const namespace = request.namespace ? (tx.get('namespaces', '', request.namespace) ?? null) : null;
    const subject: Subject = { request, operation, object, old, namespace };
    for (const binding of this.#bindings.values()) {
      const policy = this.#policies.get(text(binding, 'spec', 'policyName') ?? '');
      if (!policy) continue;
      if (!matches(at(policy.object, 'spec', 'matchConstraints'), subject)) continue;
      if (!matches(at(binding, 'spec', 'matchResources'), subject)) continue;
      for (const denial of this.#evaluate(policy, binding, subject)) {
        this.#act(policy.object, denial, subject);
      }
    }
  }

  *#evaluate(
    policy: { object: KubeObject; compiled: CompiledPolicy },
    binding: KubeObject,
    subject: Subject,
  ): Generator<Denial> {
    const params = this.#params(policy.object, binding, subject);
    if (params === 'missing') {
      if (text(binding, 'spec', 'paramRef', 'parameterNotFoundAction') === 'Allow') return;
      if (text(policy.object, 'spec', 'failurePolicy') === 'Ignore') return;
      const message =
        'failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction';
      yield { binding, message, reason: 'Invalid' };
      return;
    }
    for (const param of params) {
      const result = evaluatePolicy(policy.compiled, {
        object: shown(subject.object, subject.request),
        oldObject: shown(subject.old, subject.request),
        request: admissionRequest(subject),
        params: param,
        namespaceObject: subject.namespace,
        authorizer: (query) => this.#check(query, subject.request),
      });
      if (!result.matched) continue;
      for (const { message, reason } of result.denials) yield { binding, message, reason };
    }
  }

  #act(policy: KubeObject, denial: Denial, subject: Subject): void {
    const { request } = subject;
    const where = `ValidatingAdmissionPolicy '${policy.metadata.name}' with binding '${denial.binding.metadata.name}'`;
    const actions = strings(denial.binding, 'spec', 'validationActions');
    if (actions.includes('Warn')) {
      request.warnings.push(`Validation failed for ${where}: ${denial.message}`);
    }
    if (!actions.includes('Deny')) return;
    const { group, plural } = request.resource;
    const message = `${where} denied request: ${denial.message}`;
    const name = nameOf(subject) || 'Unknown';
    throw new ApiError(
      CODES[denial.reason],
      denial.reason,
      `${qualified({ group, resource: plural })} "${name}" is forbidden: ${message}`,
      { name, ...(group ? { group } : {}), kind: plural, causes: [{ message }] },
    );
  }

  #params(policy: KubeObject, binding: KubeObject, subject: Subject): (KubeObject | null)[] | 'missing' {
    const kind = at(policy, 'spec', 'paramKind');
    const reference = at(binding, 'spec', 'paramRef');
    if (!isObj(kind)) return [null];
    if (!isObj(reference)) return [null];
    const version = text(kind, 'apiVersion') ?? '';
    const group = version.includes('/') ? version.slice(0, version.indexOf('/')) : '';
    const resource = this.#resources.byKind(group, text(kind, 'kind') ?? '');
    if (!resource) return 'missing';
    const namespace = resource.namespaced ? (text(reference, 'namespace') ?? subject.request.namespace) : '';
    const name = text(reference, 'name');
    const found =
      name === undefined
        ? this.#store
            .all(resource.id, resource.namespaced ? namespace : undefined)
            .filter((object) => selectorMatches(reference['selector'], object.metadata.labels ?? {}))
        : [this.#store.read(resource.id, namespace, name)].filter((object) => object !== undefined);
    return found.length > 0 ? found : 'missing';
  }

  #check(
    query: Parameters<NonNullable<Parameters<typeof evaluatePolicy>[1]['authorizer']>>[0],
    request: Request,
  ): { allowed: boolean; reason: string } {
    const account = query.serviceAccount;
    const user = account
      ? {
          username: `system:serviceaccount:${account.namespace}:${account.name}`,
          groups: [
            'system:serviceaccounts',
            `system:serviceaccounts:${account.namespace}`,
            'system:authenticated',
          ],
        }
      : request.user;
    return this.#authorizer.authorize({
      user,
      verb: query.verb,
      group: query.group ?? '',
      version: '*',
      resource: query.resource ?? '',
      subresource: query.subresource ?? '',
      namespace: query.namespace ?? '',
      name: query.name ?? '',
      ...(query.path === undefined ? {} : { path: query.path }),
    });
  }
}

/** In the requested version, as policies see it. */
function shown(object: KubeObject | null, request: Request): KubeObject | null {
  if (!object) return null;
  return {
    ...object,
    apiVersion: apiVersion(request.resource.group, request.version.name),
    kind: request.resource.kind,
  };
}

function nameOf({ object, request }: Subject): string {
  return request.oneOfMany ? '' : (object?.metadata.name ?? request.name);
}

/** As AdmissionReview has it: what is empty is left out, so that an expression must ask with has(). */
function admissionRequest(subject: Subject): Obj {
  const { request, operation } = subject;
  const { subresource } = request;
  const name = nameOf(subject);
  const { group, kind, plural } = request.resource;
  const version = request.version.name;
  const gvk = { group, version, kind };
  const gvr = { group, version, resource: plural };
  return {
    uid: randomUUID(),
    kind: gvk,
    resource: gvr,
    requestKind: gvk,
    requestResource: gvr,
    ...(subresource ? { subResource: subresource, requestSubResource: subresource } : {}),
    ...(name ? { name } : {}),
    ...(request.namespace ? { namespace: request.namespace } : {}),
    operation,
    userInfo: userInfo(request.user),
    dryRun: request.dryRun,
    options: {},
  };
}
