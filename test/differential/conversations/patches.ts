import { type Conversation, patchTypes } from '../conversation.ts';
import { define, forget, widget, widgets } from './widget.ts';

const group = 'patches.differential.test';
const all = widgets(group);
const one = `${all}/a`;

export const patches: Conversation = {
  name: 'the patches',
  steps: [
    ...define(group),
    {
      name: 'create',
      method: 'POST',
      path: all,
      body: widget(group, 'a', { size: 1, tags: ['a'], order: ['x', 'y'], labels: { one: '1', two: '2' } }),
    },
    {
      name: 'merge',
      method: 'PATCH',
      type: patchTypes.merge,
      path: one,
      body: { spec: { size: 2, labels: { one: null, three: '3' }, order: ['z'] } },
    },
    {
      name: 'json: replace, add, remove',
      method: 'PATCH',
      type: patchTypes.json,
      path: one,
      body: [
        { op: 'replace', path: '/spec/size', value: 3 },
        { op: 'add', path: '/spec/order/-', value: 'w' },
        { op: 'remove', path: '/spec/labels/two' },
      ],
    },
    {
      name: 'json: test holds',
      method: 'PATCH',
      type: patchTypes.json,
      path: one,
      body: [
        { op: 'test', path: '/spec/size', value: 3 },
        { op: 'copy', from: '/spec/order/0', path: '/spec/order/0' },
      ],
    },
    {
      name: 'json: test fails',
      method: 'PATCH',
      type: patchTypes.json,
      path: one,
      body: [{ op: 'test', path: '/spec/size', value: 4 }],
    },
    {
      name: 'json: path not there',
      method: 'PATCH',
      type: patchTypes.json,
      path: one,
      body: [{ op: 'remove', path: '/spec/nothing' }],
    },
    {
      name: 'json: no such operation',
      method: 'PATCH',
      type: patchTypes.json,
      path: one,
      body: [{ op: 'jump', path: '/spec/size' }],
    },
    {
      name: 'json: move',
      method: 'PATCH',
      type: patchTypes.json,
      path: one,
      body: [{ op: 'move', from: '/spec/labels/three', path: '/spec/labels/four' }],
    },
    {
      name: 'json: an index out of range',
      method: 'PATCH',
      type: patchTypes.json,
      path: one,
      body: [{ op: 'add', path: '/spec/order/9', value: 'x' }],
    },
    { name: 'json: not a list', method: 'PATCH', type: patchTypes.json, path: one, body: { op: 'add' } },
    {
      name: 'strategic on a custom resource',
      method: 'PATCH',
      type: patchTypes.strategic,
      path: one,
      body: { spec: { size: 4 } },
    },
    {
      name: 'an unknown patch',
      method: 'PATCH',
      type: 'application/json',
      path: one,
      body: { spec: { size: 4 } },
    },
    {
      name: 'merge of what is not there',
      method: 'PATCH',
      type: patchTypes.merge,
      path: `${all}/none`,
      body: { spec: { size: 4 } },
    },
    {
      name: 'merge with an old version',
      method: 'PATCH',
      type: patchTypes.merge,
      path: one,
      body: { metadata: { resourceVersion: '1' }, spec: { size: 4 } },
    },
    {
      name: 'merge of the name',
      method: 'PATCH',
      type: patchTypes.merge,
      path: one,
      body: { metadata: { name: 'b' } },
    },
    { name: 'merge, not an object', method: 'PATCH', type: patchTypes.merge, path: one, body: '[]' },
    {
      name: 'merge, dry run',
      method: 'PATCH',
      type: patchTypes.merge,
      path: `${one}?dryRun=All`,
      body: { spec: { size: 44 } },
    },
    { name: 'in the end', path: one },
    {
      name: 'a config map',
      method: 'POST',
      path: '/api/v1/namespaces/default/configmaps',
      body: { metadata: { name: 'differential-patches' }, data: { a: '1', b: '2' } },
    },
    {
      name: 'strategic: config map',
      method: 'PATCH',
      type: patchTypes.strategic,
      path: '/api/v1/namespaces/default/configmaps/differential-patches',
      body: { data: { a: null, c: '3' } },
    },
    {
      name: 'strategic: replace a map',
      method: 'PATCH',
      type: patchTypes.strategic,
      path: '/api/v1/namespaces/default/configmaps/differential-patches',
      body: { data: { $patch: 'replace', d: '4' } },
    },
    {
      name: 'delete the config map',
      method: 'DELETE',
      path: '/api/v1/namespaces/default/configmaps/differential-patches',
    },
    {
      name: 'a node',
      method: 'POST',
      path: '/api/v1/nodes',
      body: {
        metadata: { name: 'differential-patches' },
        spec: { taints: [{ key: 'a', effect: 'NoSchedule' }] },
      },
    },
    {
      name: 'strategic: taints',
      method: 'PATCH',
      type: patchTypes.merge,
      path: '/api/v1/nodes/differential-patches',
      body: {
        spec: {
          taints: [
            { key: 'a', effect: 'NoSchedule' },
            { key: 'b', value: 'x', effect: 'NoExecute' },
          ],
        },
      },
    },
    {
      name: 'strategic: a condition',
      method: 'PATCH',
      type: patchTypes.strategic,
      path: '/api/v1/nodes/differential-patches/status',
      body: { status: { conditions: [{ type: 'Ready', status: 'True', reason: 'R' }] } },
    },
    {
      name: 'strategic: another condition',
      method: 'PATCH',
      type: patchTypes.strategic,
      path: '/api/v1/nodes/differential-patches/status',
      body: { status: { conditions: [{ type: 'Disk', status: 'False', reason: 'D' }] } },
    },
    {
      name: 'strategic: order of elements',
      method: 'PATCH',
      type: patchTypes.strategic,
      path: '/api/v1/nodes/differential-patches/status',
      body: {
        status: {
          '$setElementOrder/conditions': [{ type: 'Disk' }, { type: 'Ready' }],
          conditions: [{ type: 'Ready', status: 'False' }],
        },
      },
    },
    {
      name: 'strategic: delete an element',
      method: 'PATCH',
      type: patchTypes.strategic,
      path: '/api/v1/nodes/differential-patches/status',
      body: { status: { conditions: [{ type: 'Disk', $patch: 'delete' }] } },
    },
    {
      name: 'strategic: unknown directive',
      method: 'PATCH',
      type: patchTypes.strategic,
      path: '/api/v1/nodes/differential-patches/status',
      body: { status: { conditions: [{ type: 'Disk', $patch: 'melt' }] } },
    },
    { name: 'delete the node', method: 'DELETE', path: '/api/v1/nodes/differential-patches' },
    forget(group),
  ],
};
