import type { Machine as MachineObject, MachineComponent as MachineComponentObject } from '@kubenode/api';
import { defineKind } from '@kubenode/runtime';

const ours = { group: 'kubenode.io', version: 'v1alpha1', namespaced: false } as const;
export const Machine = /* @__PURE__ */ defineKind<MachineObject>({
  ...ours,
  kind: 'Machine',
  plural: 'machines',
});
export const MachineComponent = /* @__PURE__ */ defineKind<MachineComponentObject>({
  ...ours,
  kind: 'MachineComponent',
  plural: 'machinecomponents',
});
