import type { Conversation } from '../conversation.ts';
import { define, forget } from './widget.ts';

const group = 'paths.differential.test';

export const paths: Conversation = {
  name: 'discovery and paths that are not there',
  steps: [
    ...define(group),
    { name: 'the group', path: `/apis/${group}` },
    { name: 'its resources', path: `/apis/${group}/v1` },
    { name: 'an unknown group', path: '/apis/nothing.differential.test/v1' },
    { name: 'an unknown resource', path: `/apis/${group}/v1/gadgets` },
    { name: 'an unknown version', path: `/apis/${group}/v2/widgets` },
    { name: 'an unknown resource of the core', path: '/api/v1/gadgets' },
    { name: 'an unknown path', path: '/nothing' },
    { name: 'healthz', path: '/healthz' },
    { name: 'readyz', path: '/readyz' },
    { name: 'livez', path: '/livez' },
    { name: 'legacy versions', path: '/api', uncompared: 'holds the address of the server' },
    { name: 'POST to an object', method: 'POST', path: `/apis/${group}/v1/widgets/a`, body: {} },
    { name: 'PUT to a collection', method: 'PUT', path: `/apis/${group}/v1/widgets`, body: {} },
    {
      name: 'an unknown media type',
      method: 'POST',
      path: `/apis/${group}/v1/widgets`,
      type: 'text/plain',
      body: 'x',
    },
    {
      name: 'a crd without a schema',
      method: 'POST',
      path: '/apis/apiextensions.k8s.io/v1/customresourcedefinitions',
      body: {
        metadata: { name: `gadgets.${group}` },
        spec: {
          group,
          scope: 'Cluster',
          names: { kind: 'Gadget', plural: 'gadgets' },
          versions: [{ name: 'v1', served: true, storage: true }],
        },
      },
    },
    {
      name: 'a crd with another name',
      method: 'POST',
      path: '/apis/apiextensions.k8s.io/v1/customresourcedefinitions',
      body: {
        metadata: { name: `other.${group}` },
        spec: {
          group,
          scope: 'Cluster',
          names: { kind: 'Gadget', plural: 'gadgets' },
          versions: [
            { name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } },
          ],
        },
      },
    },
    {
      name: 'a crd that is not structural',
      method: 'POST',
      path: '/apis/apiextensions.k8s.io/v1/customresourcedefinitions',
      body: {
        metadata: { name: `gadgets.${group}` },
        spec: {
          group,
          scope: 'Cluster',
          names: { kind: 'Gadget', plural: 'gadgets' },
          versions: [
            {
              name: 'v1',
              served: true,
              storage: true,
              schema: {
                openAPIV3Schema: {
                  type: 'object',
                  properties: { spec: { properties: { a: { type: 'string' } } } },
                },
              },
            },
          ],
        },
      },
    },
    forget(group),
  ],
};
