/** Simulated machines: objects as the API has them, of a fleet that has every component in its first revision. */
import type {
  Machine,
  MachineComponentEntry,
  MachineComponentSet,
  MachineComponentStatus,
} from '@kubenode/api';

export const components = Array.from({ length: 10 }, (_, i) => `component-${i}`);
export const revisionOf = (component: string, version: number): string => `${component}-1.${version}.0-1`;
const began = '2026-03-01T10:00:00.000Z';

export const machineName = (index: number): string => `machine-${String(index).padStart(6, '0')}`;

/** A Machine of which every part is there. */
export type WholeMachine = Machine & {
  metadata: Required<Pick<Machine['metadata'], 'labels' | 'finalizers'>>;
  spec: Required<Pick<Machine['spec'], 'components'>>;
  status: Required<Pick<NonNullable<Machine['status']>, 'components' | 'conditions'>>;
};

export function machineOf(index: number): WholeMachine {
  const name = machineName(index);
  return {
    apiVersion: 'kubenode.io/v1alpha1',
    kind: 'Machine',
    metadata: {
      name,
      uid: `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`,
      generation: 1,
      resourceVersion: String(1000 + index),
      creationTimestamp: began,
      finalizers: ['kubenode.io/machine'],
      labels: { pool: 'workers', 'topology.kubernetes.io/zone': `zone-${index % 3}` },
    },
    spec: {
      deletionPolicy: 'Retain',
      paused: false,
      components: components.map((component) => entryOf(component)),
    },
    status: {
      components: components.map((component) => statusOf(entryOf(component))),
      conditions: ['AgentReady', 'ComponentsReady', 'Ready'].map((type) => ({
        type,
        status: 'True' as const,
        reason: type === 'AgentReady' ? 'Connected' : 'Ready',
        message: '',
        lastTransitionTime: began,
        observedGeneration: 1,
      })),
    },
  };
}

function entryOf(component: string): MachineComponentEntry {
  return {
    name: component,
    revision: revisionOf(component, 1),
    revisionUID: uidOf(revisionOf(component, 1)),
    set: component,
    drift: 'Repair',
    state: 'Present',
    movedAt: began,
  };
}

/** What an agent says that has done what an entry asks for. */
export function statusOf({ name, revision, movedAt }: MachineComponentEntry): MachineComponentStatus {
  return {
    name,
    running: revision,
    lastGood: revision,
    version: '1.0.0',
    state: 'Ready',
    since: began,
    correct: { version: 'True', config: 'True', running: 'True' },
    ...(movedAt === undefined ? {} : { movedAt }),
  };
}

export const uidOf = (revision: string): string => `uid-${revision}`;

export function setOf(
  component: string,
  version: number,
  batches: MachineComponentSet['spec']['rollout']['batches'],
): MachineComponentSet & Required<Pick<MachineComponentSet, 'status'>> {
  return {
    apiVersion: 'kubenode.io/v1alpha1',
    kind: 'MachineComponentSet',
    metadata: { name: component, uid: `uid-${component}`, generation: version },
    spec: {
      component,
      revision: revisionOf(component, version),
      priority: 0,
      variables: [],
      drift: 'Repair',
      removal: 'Retain',
      paused: false,
      retryToken: '',
      promote: '',
      rollout: {
        batches,
        maxUnavailable: '100%',
        inspections: [],
        observation: '0s',
        deadline: '30m',
        maxFailed: 0,
        onFailure: 'Pause',
        windows: [],
      },
    },
    status: { currentRevision: revisionOf(component, 1) },
  };
}
