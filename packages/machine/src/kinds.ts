import type {
  Machine as MachineObject,
  MachineComponent as MachineComponentObject,
  MachineComponentSet as MachineComponentSetObject,
  MachineImport as MachineImportObject,
  NodeDisruptionBudget as NodeDisruptionBudgetObject,
} from '@kubenode/api';
import { defineKind } from '@kubenode/runtime';

const ours = { group: 'kubenode.io', version: 'v1alpha1', namespaced: false } as const;

export const Machine = defineKind<MachineObject>({ ...ours, kind: 'Machine', plural: 'machines' });
export const MachineComponent = defineKind<MachineComponentObject>({
  ...ours,
  kind: 'MachineComponent',
  plural: 'machinecomponents',
});
export const MachineComponentSet = defineKind<MachineComponentSetObject>({
  ...ours,
  kind: 'MachineComponentSet',
  plural: 'machinecomponentsets',
});
export const MachineImport = defineKind<MachineImportObject>({
  ...ours,
  kind: 'MachineImport',
  plural: 'machineimports',
});
export const NodeDisruptionBudget = defineKind<NodeDisruptionBudgetObject>({
  ...ours,
  kind: 'NodeDisruptionBudget',
  plural: 'nodedisruptionbudgets',
});
