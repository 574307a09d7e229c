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
