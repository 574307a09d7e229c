import { nodeOf } from '../authn/user.ts';
import { type ApiError, forbidden } from '../http/status.ts';
import { at, same, text, type KubeObject } from '../object.ts';
import type { Admission } from '../registry/registry.ts';
import type { Request } from '../registry/request.ts';

/** Labels of Kubernetes' own domains that a kubelet may set on its Node. */
const KUBELET_LABELS = new Set([
  'kubernetes.io/hostname',
  'topology.kubernetes.io/zone',
  'topology.kubernetes.io/region',
  'failure-domain.beta.kubernetes.io/zone',
  'failure-domain.beta.kubernetes.io/region',
  'kubernetes.io/os',
  'kubernetes.io/arch',
  'beta.kubernetes.io/os',
  'beta.kubernetes.io/arch',
  'node.kubernetes.io/instance-type',
  'beta.kubernetes.io/instance-type',
]);

/** A kubelet changes nothing but its own Node, Lease and CSINode, and the pods bound to it. */
export const nodeRestriction: Admission = {
  admit(request, operation, object, old) {
    const node = nodeOf(request.user);
    if (node === undefined) return;
    switch (request.resource.id) {
      case 'nodes':
        return checkNode(request, node, operation, object, old);
      case 'pods':
        return checkPod(request, node, operation, object, old);
      case 'leases':
      case 'csinodes': {
        const { name, namespace } = (object ?? old)?.metadata ?? { name: '' };
        const lease = request.resource.id === 'leases';
        if (lease && namespace !== 'kube-node-lease') {
          throw refuse(
            request,
            `can only access leases in the "kube-node-lease" system namespace, not "${namespace}"`,
          );
        }
        if (name !== node) {
          throw refuse(
            request,
            `can only access ${lease ? 'node lease' : 'CSINode'} with the same name as the requesting node`,
          );
        }
        return;
      }
      default:
    }
  },
};

function refuse(request: Request, why: string): ApiError {
  const { group, plural } = request.resource;
  return forbidden({ group, resource: plural }, request.name, why);
}

function checkNode(
  request: Request,
  node: string,
  operation: string,
  object: KubeObject | null,
  old: KubeObject | null,
): void {
  const name = (object ?? old)?.metadata.name;
  if (name !== node) throw refuse(request, `node "${node}" is not allowed to modify node "${name}"`);
  if (operation === 'DELETE') throw refuse(request, `node "${node}" cannot delete node objects`);
  if (operation === 'CREATE') {
    const bad = forbiddenLabels(object?.metadata.labels ?? {}, {});
    if (bad.length > 0) {
      throw refuse(request, `is not allowed to set the following labels: ${bad.join(', ')}`);
    }
    return;
  }
  if (!same(at(object, 'spec', 'taints'), at(old, 'spec', 'taints'))) {
    throw refuse(request, `node "${node}" is not allowed to modify taints`);
  }
  if (!same(object?.metadata.ownerReferences, old?.metadata.ownerReferences)) {
    throw refuse(request, `node "${node}" is not allowed to modify ownerReferences`);
  }
  const bad = forbiddenLabels(object?.metadata.labels ?? {}, old?.metadata.labels ?? {});
  if (bad.length > 0) {
    throw refuse(request, `is not allowed to modify labels: ${bad.join(', ')}`);
  }
}

function forbiddenLabels(now: Record<string, string>, before: Record<string, string>): string[] {
  const keys = new Set([...Object.keys(now), ...Object.keys(before)]);
  return [...keys].filter((key) => now[key] !== before[key] && restricted(key)).sort();
}

function restricted(key: string): boolean {
  const slash = key.indexOf('/');
  const domain = slash < 0 ? '' : key.slice(0, slash);
  const within = (parent: string): boolean => domain === parent || domain.endsWith(`.${parent}`);
  if (within('node-restriction.kubernetes.io')) return true;
  if (KUBELET_LABELS.has(key) || within('kubelet.kubernetes.io') || within('node.kubernetes.io'))
    return false;
  return within('kubernetes.io') || within('k8s.io');
}

function checkPod(
  request: Request,
  node: string,
  operation: string,
  object: KubeObject | null,
  old: KubeObject | null,
): void {
  if (operation === 'CREATE' && object?.metadata.annotations?.['kubernetes.io/config.mirror'] === undefined) {
    throw refuse(
      request,
      `pod does not have "kubernetes.io/config.mirror" annotation, node "${node}" can only create mirror pods`,
    );
  }
  const bound = text(old ?? object, 'spec', 'nodeName');
  if (bound !== node) {
    throw refuse(
      request,
      `node "${node}" can only ${operation.toLowerCase()} pods with spec.nodeName set to itself`,
    );
  }
}
