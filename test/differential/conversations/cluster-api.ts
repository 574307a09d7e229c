/** Cluster API's Machine, a schema that nobody here wrote, and what is wrong with 33 of them. Also as kubectl sends them: strictly. */
import { readFileSync } from 'node:fs';
import type { Body, Conversation, Step } from '../conversation.ts';

const testdata = new URL('../../../packages/standalone/src/schema/testdata/', import.meta.url);
const read = (name: string): unknown => JSON.parse(readFileSync(new URL(name, testdata), 'utf8'));
const cases = read('validation.json') as { note: string; request: { path: string; body: Body } }[];

const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const crd = {
  metadata: {
    name: 'machines.cluster.x-k8s.io',
    annotations: { 'api-approved.kubernetes.io': 'unapproved, for the suite' },
  },
  spec: {
    group: 'cluster.x-k8s.io',
    scope: 'Namespaced',
    names: { kind: 'Machine', plural: 'machines', singular: 'machine' },
    versions: [
      {
        name: 'v1beta2',
        served: true,
        storage: true,
        subresources: { status: {} },
        schema: { openAPIV3Schema: read('cluster-api-machine.json') },
      },
    ],
  },
};

const tries = (suffix: string, parameter: string): Step[] =>
  cases.map(({ note, request }) => ({
    name: note + suffix,
    method: 'POST',
    path: request.path + parameter,
    body: request.body,
    ...(note === 'generateName' && { mayDiffer: { 'metadata.name': 'a random name' } }),
  }));

export const clusterApi: Conversation = {
  name: "Cluster API's Machine, right and wrong",
  steps: [
    {
      name: 'define the kind',
      method: 'POST',
      path: definitions,
      body: crd,
      uncompared: 'conditions come at their own time',
    },
    {
      name: 'wait for the kind',
      path: '/apis/cluster.x-k8s.io/v1beta2/namespaces/default/machines',
      until: (answer) => answer.status === 200,
    },
    ...tries('', ''),
    ...tries(', strict', '&fieldValidation=Strict'),
    {
      name: 'forget the kind',
      method: 'DELETE',
      path: `${definitions}/machines.cluster.x-k8s.io`,
      uncompared: 'conditions come at their own time',
    },
  ],
};
