import { nodeOf } from '../authn/user.ts';
import { at, list, text, type KubeObject } from '../object.ts';
import type { Store } from '../store/store.ts';
import type { Attributes, Decision } from './attributes.ts';
import { NODE_RULES } from './bootstrap.ts';
import { allows } from './rules.ts';

const OWNS = ['get', 'create', 'update', 'patch', 'delete'];
const READS = ['get', 'list', 'watch'];

/** What a kubelet may do: its own Node, Lease and CSINode, and what the pods bound to it name. */
export function authorizeNode(a: Attributes, store: Store): Decision | undefined {
  const node = nodeOf(a.user);
  if (node === undefined || a.path !== undefined) return undefined;
  const no = (reason: string): Decision => ({ allowed: false, reason });
  const which = `${a.group}/${a.resource}`;
  if (which === 'coordination.k8s.io/leases') return ownOne(a, node, 'a node lease', 'node lease');
  if (which === 'storage.k8s.io/csinodes') return ownOne(a, node, 'a CSINode', 'CSINode');
  if (which === '/nodes' && !a.subresource && READS.includes(a.verb) && a.name !== node) {
    return no(`node '${node}' cannot read ${a.name ? `'${a.name}'` : 'all nodes'}, only its own Node object`);
  }
  if (which === '/pods' && ['list', 'watch'].includes(a.verb) && !selectsPodsOf(node, a)) {
    return no('can only list/watch pods with spec.nodeName field selector');
  }
  if (which === '/secrets' || which === '/configmaps') {
    if (!READS.includes(a.verb)) return no('can only read resources of this type');
    if (a.subresource) return no('cannot read subresource');
    if (!a.namespace) return no('can only read namespaced object of this type');
    if (!a.name) return no('No Object name found');
    const found = podsOn(node, a.namespace, store).some((pod) => refersTo(pod, a.resource, a.name));
    if (!found) return no(`no relationship found between node '${node}' and this object`);
    return { allowed: true, reason: '' };
  }
  if (which === '/serviceaccounts' && a.subresource === 'token') {
    const found = podsOn(node, a.namespace, store).some(
      (pod) => (text(pod, 'spec', 'serviceAccountName') ?? 'default') === a.name,
    );
    if (!found) return no(`no relationship found between node '${node}' and this object`);
  }
  return NODE_RULES.some((rule) => allows(rule, a)) ? { allowed: true, reason: '' } : undefined;
}

/** Access to the one object that has the name of the node; at creation the name is for admission to check. */
function ownOne(a: Attributes, node: string, article: string, what: string): Decision {
  const no = (reason: string): Decision => ({ allowed: false, reason });
  if (!OWNS.includes(a.verb)) return no(`can only get, create, update, patch, or delete ${article}`);
  if (a.resource === 'leases' && a.namespace !== 'kube-node-lease')
    return no('can only access leases in the "kube-node-lease" system namespace');
  if (a.subresource) return no(`cannot authorize ${what} subresources`);
  if (a.verb !== 'create' && a.name !== node)
    return no(`can only access ${what} with the same name as the requesting node`);
  return { allowed: true, reason: '' };
}

function selectsPodsOf(node: string, a: Attributes): boolean {
  const terms = (a.fieldSelector ?? '').split(',');
  return terms.includes(`spec.nodeName=${node}`) || terms.includes(`spec.nodeName==${node}`);
}

function podsOn(node: string, namespace: string, store: Store): KubeObject[] {
  return store.all('pods', namespace).filter((pod) => text(pod, 'spec', 'nodeName') === node);
}

/** True when the pod names the Secret or ConfigMap anywhere in its volumes, environment or pull secrets. */
function refersTo(pod: KubeObject, resource: string, name: string): boolean {
  const spec = at(pod, 'spec');
  const [volume, key, reference, source] =
    resource === 'secrets'
      ? (['secret', 'secretName', 'secretRef', 'secretKeyRef'] as const)
      : (['configMap', 'name', 'configMapRef', 'configMapKeyRef'] as const);
  if (list(spec, 'imagePullSecrets').some((s) => resource === 'secrets' && text(s, 'name') === name))
    return true;
  for (const v of list(spec, 'volumes')) {
    if (text(v, volume, key) === name) return true;
    if (list(v, 'projected', 'sources').some((s) => text(s, volume, 'name') === name)) return true;
  }
  const containers = ['containers', 'initContainers', 'ephemeralContainers'].flatMap((k) => list(spec, k));
  return containers.some(
    (container) =>
      list(container, 'envFrom').some((e) => text(e, reference, 'name') === name) ||
      list(container, 'env').some((e) => text(e, 'valueFrom', source, 'name') === name),
  );
}
