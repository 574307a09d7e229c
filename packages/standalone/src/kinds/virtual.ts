import { objectType, type ManagedFieldsEntry } from '../apply/index.ts';
import { time, type KubeObject, type Obj } from '../object.ts';
import { firstOwner } from '../registry/ownership.ts';
import { kindSchema, zeroValue } from './schemas.ts';

/** Kinds that are answered and not stored. */
export interface Virtual {
  group: string;
  version: string;
  plural: string;
  kind: string;
  namespaced: boolean;
}

const authorization = { group: 'authorization.k8s.io', version: 'v1', namespaced: false };
const authentication = { group: 'authentication.k8s.io', version: 'v1', namespaced: false };

export const VIRTUAL: readonly Virtual[] = [
  { ...authorization, plural: 'selfsubjectaccessreviews', kind: 'SelfSubjectAccessReview' },
  { ...authorization, plural: 'selfsubjectrulesreviews', kind: 'SelfSubjectRulesReview' },
  { ...authorization, plural: 'subjectaccessreviews', kind: 'SubjectAccessReview' },
  {
    ...authorization,
    plural: 'localsubjectaccessreviews',
    kind: 'LocalSubjectAccessReview',
    namespaced: true,
  },
  { ...authentication, plural: 'selfsubjectreviews', kind: 'SelfSubjectReview' },
  { ...authentication, plural: 'tokenreviews', kind: 'TokenReview' },
];

/** The fields that the sender of such an object owns in its answer. */
export function firstFields(
  virtual: Pick<Virtual, 'group' | 'version' | 'kind'>,
  object: KubeObject,
  manager: string,
  now: number,
  subresource?: string,
): ManagedFieldsEntry[] {
  const schema = kindSchema(virtual.group, virtual.version, virtual.kind);
  if (!schema) return [];
  const zero: Obj = zeroValue(schema);
  return firstOwner(object, objectType(schema), zero, {
    manager,
    apiVersion: `${virtual.group}/${virtual.version}`,
    now: time(now),
    hasStatus: true,
    ...(subresource ? { subresource } : {}),
  });
}
