/** What the real cluster adds to a Node by itself, and when it gets round to it. The embedded control plane runs none of these. */

const TAINTS = new Set(['node.kubernetes.io/not-ready', 'node.kubernetes.io/unschedulable']);
const TTL = 'node.alpha.kubernetes.io/ttl';

/**
 * A Node without the not-ready taint of admission, and what kube-controller-manager writes: the ttl annotation, the pod network, taints
 * by condition, and its ownership of these. Anything else comes back as it is.
 */
export function withoutControllers(object: Record<string, unknown>): Record<string, unknown> {
  if (object['kind'] !== 'Node' || !isObject(object['metadata']) || !isObject(object['spec'])) return object;
  const { annotations, managedFields, ...metadata } = object['metadata'];
  const { podCIDR: _one, podCIDRs: _all, taints, ...spec } = object['spec'];
  const others = isObject(annotations) ? Object.entries(annotations).filter(([key]) => key !== TTL) : [];
  const owners = list(managedFields)
    .filter((entry) => entry['manager'] !== 'kube-controller-manager')
    .map(withoutTaints)
    .filter((entry) => !isObject(entry['fieldsV1']) || Object.keys(entry['fieldsV1']).length > 0);
  const own = list(taints).filter((taint) => !TAINTS.has(String(taint['key'])));
  return {
    ...object,
    metadata: {
      ...metadata,
      ...(others.length > 0 && { annotations: Object.fromEntries(others) }),
      ...(owners.length > 0 && { managedFields: owners }),
    },
    spec: { ...spec, ...(own.length > 0 && { taints: own }) },
  };
}

/** Taints are one list: when a controller adds its own, the whole of it is the controller's. */
function withoutTaints(entry: Record<string, unknown>): Record<string, unknown> {
  const { fieldsV1 } = entry;
  if (!isObject(fieldsV1) || !isObject(fieldsV1['f:spec'])) return entry;
  const { 'f:taints': _taints, ...left } = fieldsV1['f:spec'];
  const { 'f:spec': _spec, ...fields } = fieldsV1;
  return { ...entry, fieldsV1: { ...fields, ...(Object.keys(left).length > 0 && { 'f:spec': left }) } };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function list(value: unknown): Record<string, unknown>[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}
