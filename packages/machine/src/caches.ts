/** The local copies that the controllers share: one watch per kind, and of each object no more than is needed. */
import {
  type Machine as MachineObject,
  type MachineComponent as MachineComponentObject,
  type MachineComponentSet as MachineComponentSetObject,
  type MachineComponentSpec,
  type NodeDisruptionBudget as NodeDisruptionBudgetObject,
  systemNamespace,
} from '@kubenode/api';
import {
  type AnyMeta,
  type Client,
  CertificateSigningRequest,
  type Informer,
  informer,
  Lease,
  type Logger,
  type Registry,
  Node,
  type NodeCondition,
  type ObjectMeta,
} from '@kubenode/runtime';
import { cordonOf } from './disruption/cordon.ts';
import { Machine, MachineComponent, MachineComponentSet, NodeDisruptionBudget } from './kinds.ts';
import { setLabel } from './machinecomponentset/template.ts';
import type { NodeView } from './machine/node.ts';

/** What is kept of a MachineComponent: its spec may be large, and only agents read it. */
export interface Revision {
  readonly metadata: AnyMeta & { readonly name: string };
  readonly component: string;
  readonly version: string;
  /** What bringing it in costs the machine. */
  readonly disruption: MachineComponentSpec['disruption'];
  readonly hasUnit: boolean;
  /** The set whose template it was made from. */
  readonly set: string | undefined;
}

/** What is kept of an agent's Lease. */
export interface AgentLease {
  readonly machine: string;
  /** RFC 3339; '' where there is none. */
  readonly renewTime: string;
}

/** What is kept of a certificate request, to know whether to look at it. */
export interface PendingRequest {
  readonly name: string;
  readonly signerName: string;
  /** Approved, denied, or failed. */
  readonly decided: boolean;
}

export interface Caches {
  readonly machines: Informer<MachineObject>;
  readonly sets: Informer<MachineComponentSetObject>;
  readonly revisions: Informer<Revision>;
  readonly nodes: Informer<NodeView>;
  readonly leases: Informer<AgentLease>;
  readonly requests: Informer<PendingRequest>;
  readonly budgets: Informer<NodeDisruptionBudgetObject>;
}

export interface CacheOptions {
  readonly client: Client;
  readonly log: Logger;
  readonly metrics?: Registry;
}

/** Names of the revisions that a Machine names: what belongs on it, what runs, and what it would go back to. */
export function revisionsNamed({ spec, status }: Pick<MachineObject, 'spec' | 'status'>): string[] {
  const names = new Set<string>();
  for (const entry of spec.components ?? []) names.add(entry.revision);
  for (const { running, lastGood } of status?.components ?? []) {
    if (running !== undefined) names.add(running);
    if (lastGood !== undefined) names.add(lastGood);
  }
  return [...names];
}

/** Makes the caches; a manager runs them. */
export function makeCaches(options: CacheOptions): Caches {
  return {
    machines: informer({
      ...options,
      kind: Machine,
      project: slim,
      indexes: {
        revision: revisionsNamed,
        nodeName: ({ spec }) => (spec.nodeName === undefined ? [] : [spec.nodeName]),
        set: ({ spec }) => [...new Set((spec.components ?? []).flatMap((entry) => entry.set ?? []))],
      },
    }),
    sets: informer({ ...options, kind: MachineComponentSet, project: withoutManagedFields }),
    revisions: informer({
      ...options,
      kind: MachineComponent,
      project: slimRevision,
      indexes: { set: ({ set }) => (set === undefined ? [] : [set]) },
    }),
    nodes: informer({
      ...options,
      kind: Node,
      project: viewOfNode,
      equal: isSameNode,
      indexes: { cordonedBy: (node) => [cordonOf(node)?.machine ?? []].flat() },
    }),
    leases: informer({
      ...options,
      kind: Lease,
      namespace: systemNamespace,
      project: ({ metadata, spec }): AgentLease => ({
        machine: metadata.name,
        renewTime: spec?.renewTime ?? '',
      }),
    }),
    budgets: informer({ ...options, kind: NodeDisruptionBudget, project: withoutManagedFields }),
    requests: informer({
      ...options,
      kind: CertificateSigningRequest,
      project: ({ metadata, spec, status }): PendingRequest => ({
        name: metadata.name,
        signerName: spec.signerName,
        decided: (status?.conditions ?? []).length > 0,
      }),
    }),
  };
}

/** What the controllers read of a revision. */
export function slimRevision({ metadata, spec }: MachineComponentObject): Revision {
  return {
    metadata: slimMeta(metadata),
    component: spec.component,
    version: spec.version,
    disruption: spec.disruption,
    hasUnit: spec.unit !== undefined,
    set: metadata.labels?.[setLabel],
  };
}

function slimMeta(metadata: ObjectMeta): ObjectMeta {
  return { ...withoutManagedFields({ metadata }).metadata };
}

function withoutManagedFields<T extends { metadata: ObjectMeta }>(object: T): T {
  const { managedFields: _, ...metadata } = object.metadata as ObjectMeta & { managedFields?: unknown };
  return { ...object, metadata };
}

/** A Machine without what no controller reads. */
function slim(machine: MachineObject): MachineObject {
  const { apiVersion, kind, spec } = machine;
  const { annotations: _, ...metadata } = withoutManagedFields(machine).metadata;
  const { host, ...rest } = machine.status ?? {};
  const status = { ...rest, ...(host?.bootID === undefined ? {} : { host: { bootID: host.bootID } }) };
  return { apiVersion, kind, metadata, spec, status };
}

function viewOfNode({ metadata, spec, status }: Node): NodeView {
  const ready = status?.conditions?.find((condition) => condition.type === 'Ready');
  return {
    name: metadata.name,
    uid: metadata.uid ?? '',
    resourceVersion: metadata.resourceVersion ?? '',
    labels: metadata.labels ?? {},
    annotations: metadata.annotations ?? {},
    taints: spec?.taints ?? [],
    kubeletVersion: status?.nodeInfo?.kubeletVersion,
    ...(spec?.unschedulable === true ? { unschedulable: true } : {}),
    ...(status?.nodeInfo?.bootID === undefined ? {} : { bootID: status.nodeInfo.bootID }),
    problems: problemsOf(status?.conditions ?? []),
    ready: ready && { status: ready.status, reason: ready.reason ?? '', message: ready.message ?? '' },
  };
}

/** What is wrong with a Node, in the words of the kubelet's pressure conditions and of problem detectors: True is bad, but for Ready. */
function problemsOf(conditions: readonly NodeCondition[]): NodeView['problems'] {
  return conditions
    .filter(({ type, status }) => status === 'True' && !type.endsWith('Ready'))
    .map(({ type, reason, lastTransitionTime }) => ({
      type,
      reason: reason ?? '',
      since: lastTransitionTime ?? '',
    }));
}

/** A Node is written all the time (heartbeats, images); only these changes are news to us. */
function isSameNode(a: NodeView, b: NodeView): boolean {
  return JSON.stringify({ ...a, resourceVersion: '' }) === JSON.stringify({ ...b, resourceVersion: '' });
}
