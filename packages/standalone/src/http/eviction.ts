import { child, isObj, list, strings, text, time, type KubeObject, type Obj } from '../object.ts';
import { deleteOptions } from '../registry/deletion.ts';
import type { Request } from '../registry/request.ts';
import type { Parts } from './parts.ts';
import { ApiError } from './status.ts';

const SUCCESS = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 };

/**
 * Deletes a pod, if the PodDisruptionBudget that selects it lets it go.
 * @throws ApiError 429 with cause DisruptionBudget where it does not, 500 where there are two of them.
 */
export async function evict(parts: Parts, request: Request, body: Obj): Promise<Obj> {
  const options = deleteOptions(body['deleteOptions'], request.query);
  const pod = parts.registry.get({ ...request, subresource: '' });
  const budgets = canGoUnasked(pod)
    ? []
    : parts.store
        .all('poddisruptionbudgets', request.namespace)
        .filter((budget) => selects(child(child(budget, 'spec'), 'selector'), pod));
  if (budgets.length > 1) {
    throw new ApiError(
      500,
      '',
      'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.',
    );
  }
  const [budget] = budgets;
  if (budget !== undefined) await spend(parts, request, budget, pod);
  await parts.registry.delete({ ...request, subresource: '' }, options);
  return SUCCESS;
}

/** As in the real server: what does not run, or ends already, is no loss. */
function canGoUnasked(pod: KubeObject): boolean {
  const phase = text(pod, 'status', 'phase');
  return (
    phase === 'Succeeded' ||
    phase === 'Failed' ||
    phase === 'Pending' ||
    pod.metadata.deletionTimestamp !== undefined
  );
}

/** Takes one of the disruptions that the budget allows. */
async function spend(parts: Parts, request: Request, budget: KubeObject, pod: KubeObject): Promise<void> {
  const { name } = budget.metadata;
  const status = child(budget, 'status');
  if (!isMaintained(budget)) {
    const { allowed, healthy, desired } = reckon(parts, request, budget);
    if (allowed < 1 && !isNoLoss(budget, pod, healthy, desired)) throw tooMany(name, desired, healthy);
    return;
  }
  if (isNoLoss(budget, pod, count(status['currentHealthy']), count(status['desiredHealthy']))) return;
  const allowed = count(status['disruptionsAllowed']);
  if (count(status['observedGeneration']) < (budget.metadata.generation ?? 0)) {
    throw refused(
      "Cannot evict pod as it would violate the pod's disruption budget.",
      `The disruption budget ${name} is still being processed by the server.`,
      10,
    );
  }
  if (allowed < 1) throw tooMany(name, count(status['desiredHealthy']), count(status['currentHealthy']));
  const resource = parts.resources.find('policy', 'v1', 'poddisruptionbudgets');
  const version = resource?.versions.get('v1');
  if (resource === undefined || version === undefined || request.dryRun) return;
  await parts.registry.modify({ ...request, resource, version, name, subresource: 'status' }, (live) => {
    const now = count(child(live, 'status')['disruptionsAllowed']);
    if (now < 1) throw tooMany(name, count(status['desiredHealthy']), count(status['currentHealthy']));
    const disrupted = { ...child(child(live, 'status'), 'disruptedPods') };
    disrupted[request.name] = time(request.now);
    return {
      ...live,
      status: { ...child(live, 'status'), disruptionsAllowed: now - 1, disruptedPods: disrupted },
    };
  });
}

/** A pod that is not healthy may go where the others are enough, or always, as the budget's policy says. */
function isNoLoss(budget: KubeObject, pod: KubeObject, healthy: number, desired: number): boolean {
  if (isHealthy(pod)) return false;
  if (text(budget, 'spec', 'unhealthyPodEvictionPolicy') === 'AlwaysAllow') return true;
  return desired > 0 && healthy >= desired;
}

/** Somebody keeps its status, as a controller manager does. Where nobody does, the server reckons for itself. */
function isMaintained(budget: KubeObject): boolean {
  return count(child(budget, 'status')['observedGeneration']) > 0;
}

/** What the disruption controller of Kubernetes would say now, with as many pods expected as there are. */
function reckon(
  parts: Parts,
  request: Request,
  budget: KubeObject,
): { allowed: number; healthy: number; desired: number } {
  const spec = child(budget, 'spec');
  const pods = parts.store
    .all('pods', request.namespace)
    .filter((pod) => selects(child(spec, 'selector'), pod) && !isOver(pod));
  const healthy = pods.filter(isHealthy).length;
  const expected = pods.length;
  const most = spec['maxUnavailable'];
  const desired =
    most === undefined
      ? scaled(spec['minAvailable'] ?? 1, expected)
      : Math.max(0, expected - scaled(most, expected));
  return { allowed: Math.max(0, healthy - desired), healthy, desired };
}

function isOver(pod: KubeObject): boolean {
  const phase = text(pod, 'status', 'phase');
  return phase === 'Succeeded' || phase === 'Failed';
}

function isHealthy(pod: KubeObject): boolean {
  if (pod.metadata.deletionTimestamp !== undefined) return false;
  return list(pod, 'status', 'conditions').some(
    (condition) => text(condition, 'type') === 'Ready' && text(condition, 'status') === 'True',
  );
}

/** A number, or a percentage of the total, rounded up. */
function scaled(value: unknown, total: number): number {
  if (typeof value === 'number') return value;
  const percent = /^(\d+)%$/.exec(typeof value === 'string' ? value : '')?.[1];
  return percent === undefined ? 0 : Math.ceil((Number(percent) * total) / 100);
}

/** A selector object; an empty one selects everything, as in policy/v1. */
function selects(selector: Obj, pod: KubeObject): boolean {
  const labels: Readonly<Record<string, string>> = pod.metadata.labels ?? {};
  const isMatch = Object.entries(child(selector, 'matchLabels')).every(
    ([key, value]) => labels[key] === value,
  );
  return (
    isMatch &&
    list(selector, 'matchExpressions')
      .filter(isObj)
      .every((one) => fits(one, labels))
  );
}

function fits(expression: Obj, labels: Readonly<Record<string, string>>): boolean {
  const value = labels[text(expression, 'key') ?? ''];
  const values = strings(expression, 'values');
  const operator = text(expression, 'operator');
  if (operator === 'In') return value !== undefined && values.includes(value);
  if (operator === 'NotIn') return value === undefined || !values.includes(value);
  if (operator === 'Exists') return value !== undefined;
  return operator === 'DoesNotExist' && value === undefined;
}

function tooMany(budget: string, desired: number, healthy: number): ApiError {
  return refused(
    "Cannot evict pod as it would violate the pod's disruption budget.",
    `The disruption budget ${budget} needs ${desired} healthy pods and has ${healthy} currently`,
  );
}

function refused(message: string, cause: string, retryAfterSeconds = 0): ApiError {
  return new ApiError(429, 'TooManyRequests', message, {
    causes: [{ reason: 'DisruptionBudget', message: cause }],
    ...(retryAfterSeconds === 0 ? {} : { retryAfterSeconds }),
  });
}

function count(value: unknown): number {
  return typeof value === 'number' ? value : 0;
}
