import { MASTERS } from '../authn/user.ts';
import type { Store } from '../store/store.ts';
import type { Attributes, Decision } from './attributes.ts';
import { authorizeNode } from './node.ts';
import { Rbac } from './rbac.ts';

/** All authorizers in order: system:masters, nodes, roles. */
export class Authorizer {
  readonly rbac: Rbac;
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
    this.rbac = new Rbac(store);
    store.subscribe((change) => this.rbac.observe(change));
  }

  authorize(a: Attributes): Decision {
    if (a.user.groups.includes(MASTERS)) return { allowed: true, reason: '' };
    const node = authorizeNode(a, this.#store);
    if (node?.allowed) return node;
    return this.rbac.authorize(a) ?? { allowed: false, reason: node?.reason ?? '' };
  }
}
