import type { Authorizer } from '../authz/authorizer.ts';
import { rulesOf } from '../authz/rules.ts';
import { readSubject } from '../certificates/subject.ts';
import { type ApiError, forbidden } from '../http/status.ts';
import { same, text, type KubeObject } from '../object.ts';
import type { Admission } from '../registry/registry.ts';
import type { Request } from '../registry/request.ts';
import type { Transaction } from '../store/store.ts';
import { MASTERS } from '../authn/user.ts';

/** Nobody gives, or takes by a certificate, more than the rights they have. */
export class Escalation implements Admission {
  readonly #authorizer: Authorizer;

  constructor(authorizer: Authorizer) {
    this.#authorizer = authorizer;
  }

  admit(
    request: Request,
    operation: 'CREATE' | 'UPDATE' | 'DELETE',
    object: KubeObject | null,
    old: KubeObject | null,
    tx: Transaction,
  ): void {
    if (!object || request.user.groups.includes(MASTERS)) {
      if (object && request.resource.id === 'certificatesigningrequests')
        checkSubject(request, operation, object);
      return;
    }
    switch (request.resource.id) {
      case 'roles':
      case 'clusterroles':
        if (!same(object['rules'], old?.['rules'])) this.#role(request, object);
        return;
      case 'rolebindings':
      case 'clusterrolebindings':
        this.#binding(request, object, tx);
        return;
      case 'certificatesigningrequests':
        checkSubject(request, operation, object);
        this.#signer(request, object, old);
        return;
      default:
    }
  }

  #may(
    request: Request,
    verb: string,
    resource: string,
    name: string,
    group = 'rbac.authorization.k8s.io',
  ): boolean {
    return this.#authorizer.authorize({
      user: request.user,
      verb,
      group,
      version: '*',
      resource,
      subresource: '',
      namespace: request.namespace,
      name,
    }).allowed;
  }

  #role(request: Request, object: KubeObject): void {
    if (this.#may(request, 'escalate', request.resource.plural, object.metadata.name)) return;
    if (this.#authorizer.rbac.covers(request.user, request.namespace, rulesOf(object))) return;
    throw refuse(
      request,
      object,
      `user "${request.user.username}" is attempting to grant RBAC permissions not currently held`,
    );
  }

  #binding(request: Request, object: KubeObject, tx: Transaction): void {
    const kind = text(object, 'roleRef', 'kind') ?? '';
    const name = text(object, 'roleRef', 'name') ?? '';
    const resource = kind === 'Role' ? 'roles' : 'clusterroles';
    if (this.#may(request, 'bind', resource, name)) return;
    const role = tx.get(resource, kind === 'Role' ? request.namespace : '', name);
    if (role && this.#authorizer.rbac.covers(request.user, request.namespace, rulesOf(role))) return;
    throw refuse(
      request,
      object,
      `user "${request.user.username}" is attempting to grant RBAC permissions not currently held`,
    );
  }

  /** Approving needs `approve`, and writing a certificate `sign`, on the signer. */
  #signer(request: Request, object: KubeObject, old: KubeObject | null): void {
    const signer = text(object, 'spec', 'signerName') ?? '';
    const verb =
      request.subresource === 'approval' ? 'approve' : request.subresource === 'status' ? 'sign' : undefined;
    if (!verb || same(object['status'], old?.['status'])) return;
    const all = `${signer.split('/')[0]}/*`;
    const may = [signer, all].some((name) =>
      this.#may(request, verb, 'signers', name, 'certificates.k8s.io'),
    );
    if (may) return;
    const what = verb === 'approve' ? 'approving' : 'updating status';
    throw refuse(
      request,
      object,
      `user not permitted to ${what === 'approving' ? 'approve' : 'sign'} requests with signerName ${JSON.stringify(signer)}`,
    );
  }
}

/** system:masters can't be had by a request that somebody might approve by mistake. */
function checkSubject(request: Request, operation: string, object: KubeObject): void {
  if (operation !== 'CREATE' || text(object, 'spec', 'signerName') !== 'kubernetes.io/kube-apiserver-client')
    return;
  if (readSubject(text(object, 'spec', 'request') ?? '').organizations.includes(MASTERS)) {
    throw refuse(
      request,
      object,
      'use of kubernetes.io/kube-apiserver-client signer with system:masters group is not allowed',
    );
  }
}

function refuse(request: Request, object: KubeObject, why: string): ApiError {
  const { group, plural } = request.resource;
  return forbidden({ group, resource: plural }, object.metadata.name, why);
}
