/** Objects as the API has them, for tests. */
import type {
  Condition,
  Machine,
  MachineComponentSet,
  MachineImport,
  NodeDisruptionBudget,
} from '@kubenode/api';

export const at = '2026-03-01T10:00:00Z';
export const now = Date.parse(at) + 120_000;

export function condition(
  type: string,
  status: Condition['status'],
  over: Partial<Condition> = {},
): Condition {
  return { type, status, reason: type, message: '', lastTransitionTime: at, observedGeneration: 1, ...over };
}

export function machine(
  over: { spec?: Partial<Machine['spec']>; status?: Machine['status']; labels?: Record<string, string> } = {},
): Machine {
  return {
    apiVersion: 'kubenode.io/v1alpha1',
    kind: 'Machine',
    metadata: { name: 'n17', generation: 1, creationTimestamp: at, labels: { pool: 'web', ...over.labels } },
    spec: {
      deletionPolicy: 'Retain',
      paused: false,
      components: [
        {
          name: 'containerd',
          revision: 'containerd-2',
          set: 'containerd',
          drift: 'Repair',
          state: 'Present',
          movedAt: at,
        },
      ],
      ...over.spec,
    },
    status: {
      phase: 'Running',
      summary: '1/1',
      conditions: ['AgentReady', 'ComponentsReady', 'Ready'].map((type) => condition(type, 'True')),
      components: [{ name: 'containerd', desired: 'containerd-2', running: 'containerd-2', state: 'Ready' }],
      ...over.status,
    },
  };
}

export function set(
  over: {
    name?: string;
    spec?: Partial<MachineComponentSet['spec']>;
    status?: MachineComponentSet['status'];
  } = {},
): MachineComponentSet {
  return {
    apiVersion: 'kubenode.io/v1alpha1',
    kind: 'MachineComponentSet',
    metadata: { name: over.name ?? 'containerd', generation: 1 },
    spec: {
      component: 'containerd',
      revision: 'containerd-2',
      priority: 0,
      variables: [],
      drift: 'Repair',
      removal: 'Retain',
      rollout: {
        batches: [1],
        maxUnavailable: 1,
        inspections: [],
        observation: '0s',
        deadline: '30m',
        maxFailed: 0,
        onFailure: 'Pause',
        windows: [],
      },
      paused: false,
      retryToken: '',
      promote: '',
      ...over.spec,
    },
    status: {
      observedGeneration: 1,
      currentRevision: 'containerd-1',
      updateRevision: 'containerd-2',
      machines: 2,
      updated: 1,
      ...over.status,
    },
  };
}

export function importOf(
  over: { spec?: Partial<MachineImport['spec']>; status?: MachineImport['status'] } = {},
): MachineImport {
  return {
    apiVersion: 'kubenode.io/v1alpha1',
    kind: 'MachineImport',
    metadata: { name: 'n17', generation: 1, creationTimestamp: at },
    spec: {
      state: 'Imported',
      ssh: { address: '10.0.0.7', port: 22, user: 'root', keySecretName: 'key' },
      machine: { name: 'n17' },
      retryToken: '',
      ...over.spec,
    },
    ...(over.status === undefined ? {} : { status: over.status }),
  };
}

/** The budget `default`, with a ledger. */
export function budget(status: NodeDisruptionBudget['status'] = {}): NodeDisruptionBudget {
  return {
    apiVersion: 'kubenode.io/v1alpha1',
    kind: 'NodeDisruptionBudget',
    metadata: { name: 'default', generation: 1 },
    spec: {
      starts: { perMinute: 20, perHour: 600, perDay: 5000 },
      concurrent: { cluster: '10%', perZone: '25%' },
      zoneLabel: 'topology.kubernetes.io/zone',
      maxUnhealthy: '20%',
      grantTimeout: '1h',
      windows: [],
      drain: { timeout: '10m', onTimeout: 'Abort', emptyDir: 'Delete' },
    },
    status,
  };
}
