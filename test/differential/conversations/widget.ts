/** The custom resource that most conversations are about: one field of each sort that a schema can have. */
import type { Step } from '../conversation.ts';

/** Each conversation has a group of its own, so that they don't meet. */
export function widgetCrd(group: string) {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `widgets.${group}` },
    spec: {
      group,
      scope: 'Cluster',
      names: {
        kind: 'Widget',
        plural: 'widgets',
        singular: 'widget',
        shortNames: ['wd'],
        categories: ['things'],
      },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          subresources: {
            status: {},
            scale: { specReplicasPath: '.spec.replicas', statusReplicasPath: '.status.replicas' },
          },
          additionalPrinterColumns: [
            { name: 'Size', type: 'integer', jsonPath: '.spec.size', description: 'How large' },
            { name: 'Ready', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
            { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
            { name: 'Color', type: 'string', jsonPath: '.spec.color', priority: 1 },
          ],
          selectableFields: [{ jsonPath: '.spec.color' }],
          schema: { openAPIV3Schema: schema },
        },
      ],
    },
  };
}

const schema = {
  type: 'object',
  properties: {
    spec: {
      type: 'object',
      required: ['size'],
      properties: {
        size: { type: 'integer', minimum: 1, maximum: 100 },
        small: { type: 'integer', format: 'int32' },
        replicas: { type: 'integer', default: 1 },
        ratio: { type: 'number', exclusiveMinimum: true, minimum: 0 },
        color: { type: 'string', enum: ['red', 'green', 'blue'], default: 'red' },
        code: { type: 'string', pattern: '^[a-z]+$', minLength: 2, maxLength: 8 },
        when: { type: 'string', format: 'date-time' },
        enabled: { type: 'boolean' },
        percent: { 'x-kubernetes-int-or-string': true },
        maybe: { type: 'string', nullable: true },
        fixed: {
          type: 'string',
          maxLength: 64,
          'x-kubernetes-validations': [{ rule: 'self == oldSelf', message: 'is fixed' }],
        },
        tags: {
          type: 'array',
          items: { type: 'string', maxLength: 32 },
          'x-kubernetes-list-type': 'set',
          maxItems: 8,
        },
        ports: {
          type: 'array',
          maxItems: 8,
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['port', 'protocol'],
          items: {
            type: 'object',
            required: ['port'],
            properties: {
              port: { type: 'integer' },
              protocol: { type: 'string', default: 'TCP' },
              name: { type: 'string' },
              note: { type: 'string' },
            },
          },
        },
        order: { type: 'array', items: { type: 'string' }, 'x-kubernetes-list-type': 'atomic' },
        labels: { type: 'object', additionalProperties: { type: 'string' } },
        whole: {
          type: 'object',
          'x-kubernetes-map-type': 'atomic',
          properties: { a: { type: 'string' }, b: { type: 'string' } },
        },
        free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
        nested: {
          type: 'object',
          properties: { depth: { type: 'integer', default: 3 }, word: { type: 'string' } },
        },
        low: { type: 'integer' },
        high: { type: 'integer' },
      },
      'x-kubernetes-validations': [
        {
          rule: '!has(self.low) || !has(self.high) || self.low <= self.high',
          message: 'low must not exceed high',
        },
      ],
    },
    status: {
      type: 'object',
      properties: {
        replicas: { type: 'integer' },
        phase: { type: 'string' },
        conditions: {
          type: 'array',
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['type'],
          items: {
            type: 'object',
            required: ['type', 'status'],
            properties: { type: { type: 'string' }, status: { type: 'string' }, message: { type: 'string' } },
          },
        },
      },
    },
  },
};

export function widgets(group: string): string {
  return `/apis/${group}/v1/widgets`;
}

export function widget(
  group: string,
  name: string,
  spec: Record<string, unknown>,
  metadata: Record<string, unknown> = {},
) {
  return { apiVersion: `${group}/v1`, kind: 'Widget', metadata: { name, ...metadata }, spec };
}

/** The steps that put the kind there, and wait until it is served. */
export function define(group: string): Step[] {
  return [
    {
      name: 'define the kind',
      method: 'POST',
      path: '/apis/apiextensions.k8s.io/v1/customresourcedefinitions',
      body: widgetCrd(group),
      uncompared: 'conditions come at their own time',
    },
    {
      name: 'wait for the kind',
      path: widgets(group),
      until: (answer) => answer.status === 200,
    },
  ];
}

/** The step that takes the kind away again. */
export function forget(group: string): Step {
  return {
    name: 'forget the kind',
    method: 'DELETE',
    path: `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/widgets.${group}`,
    uncompared: 'conditions come at their own time',
  };
}
