import { crdsJson } from './generated/crds.ts';

/** A CustomResourceDefinition, as far as it is read here; the rest is passed on as it is. */
export interface CustomResourceDefinition {
  apiVersion: 'apiextensions.k8s.io/v1';
  kind: 'CustomResourceDefinition';
  metadata: { name: string };
  spec: {
    group: string;
    names: { kind: string; plural: string };
    versions: Record<string, unknown>[];
  } & Record<string, unknown>;
}

/** The CustomResourceDefinitions of all kinds, each call a fresh copy. */
export function customResourceDefinitions(): CustomResourceDefinition[] {
  return JSON.parse(crdsJson) as CustomResourceDefinition[];
}
