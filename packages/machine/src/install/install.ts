import { customResourceDefinitions } from '@kubenode/api';
import type { KubeObject } from '@kubenode/runtime';
import { admissionPolicies } from './admission.ts';
import { accessRules } from './rbac.ts';

/** Everything a cluster needs before the operator starts, in the order in which it is applied. */
export function installManifests(): KubeObject[] {
  return [...customResourceDefinitions(), ...accessRules(), ...admissionPolicies()];
}
