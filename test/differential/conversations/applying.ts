import { type Conversation, from, patchTypes } from '../conversation.ts';
import { define, forget, widget, widgets } from './widget.ts';

const group = 'apply.differential.test';
const all = widgets(group);
const apply = (
  name: string,
  manager: string,
  spec: Record<string, unknown>,
  extra = '',
  metadata: Record<string, unknown> = {},
) => ({
  method: 'PATCH' as const,
  type: patchTypes.apply,
  path: `${all}/${name}?fieldManager=${manager}${extra}`,
  body: widget(group, name, spec, metadata),
});

export const applying: Conversation = {
  name: 'server-side apply',
  steps: [
    ...define(group),
    { name: 'creates', ...apply('a', 'one', { size: 1, tags: ['x'], ports: [{ port: 80, name: 'web' }] }) },
    {
      name: 'nothing new',
      ...apply('a', 'one', { size: 1, tags: ['x'], ports: [{ port: 80, name: 'web' }] }),
    },
    {
      name: 'a second manager adds',
      ...apply('a', 'two', { size: 1, tags: ['y'], ports: [{ port: 81 }], labels: { k: 'v' } }),
    },
    { name: 'a conflict', ...apply('a', 'two', { size: 2 }) },
    {
      name: 'several conflicts',
      ...apply('a', 'three', { size: 3, ports: [{ port: 80, name: 'other' }] }),
    },
    { name: 'force', ...apply('a', 'two', { size: 2, tags: ['y'] }, '&force=true') },
    {
      name: 'the first gives up its tag',
      ...apply('a', 'one', { size: 2, ports: [{ port: 80, name: 'web' }] }),
    },
    { name: 'a leaf goes', ...apply('a', 'one', { size: 2, ports: [{ port: 80 }] }) },
    { name: 'an entry goes', ...apply('a', 'one', { size: 2 }) },
    { name: 'atomic list', ...apply('a', 'four', { size: 2, order: ['a', 'b'] }) },
    { name: 'atomic list, conflict', ...apply('a', 'five', { size: 2, order: ['a'] }) },
    { name: 'atomic map', ...apply('a', 'four', { size: 2, order: ['a', 'b'], whole: { a: '1' } }) },
    { name: 'atomic map, conflict', ...apply('a', 'five', { size: 2, whole: { b: '1' } }) },
    { name: 'free object', ...apply('a', 'six', { size: 2, free: { x: { y: 1 }, z: [1, 2] } }) },
    { name: 'nullable', ...apply('a', 'six', { size: 2, free: { x: { y: 1 } }, maybe: null }) },
    { name: 'null where it may not be', ...apply('a', 'seven', { size: 2, code: null }) },
    {
      name: 'an update takes a field',
      method: 'PATCH',
      type: patchTypes.merge,
      path: `${all}/a?fieldManager=hand`,
      body: { spec: { size: 7, labels: { k: 'w' } } },
    },
    { name: 'which conflicts', ...apply('a', 'two', { size: 2, tags: ['y'] }) },
    {
      name: 'an update removes a field',
      method: 'PATCH',
      type: patchTypes.merge,
      path: `${all}/a?fieldManager=hand`,
      body: { spec: { order: null } },
    },
    {
      name: 'apply to status',
      method: 'PATCH',
      type: patchTypes.apply,
      path: `${all}/a/status?fieldManager=agent`,
      body: {
        apiVersion: `${group}/v1`,
        kind: 'Widget',
        metadata: { name: 'a' },
        status: { phase: 'Good', conditions: [{ type: 'Ready', status: 'True' }] },
      },
    },
    {
      name: 'another to status',
      method: 'PATCH',
      type: patchTypes.apply,
      path: `${all}/a/status?fieldManager=controller`,
      body: {
        apiVersion: `${group}/v1`,
        kind: 'Widget',
        metadata: { name: 'a' },
        status: { conditions: [{ type: 'Up', status: 'True' }] },
      },
    },
    {
      name: 'a condition conflicts',
      method: 'PATCH',
      type: patchTypes.apply,
      path: `${all}/a/status?fieldManager=controller`,
      body: {
        apiVersion: `${group}/v1`,
        kind: 'Widget',
        metadata: { name: 'a' },
        status: {
          conditions: [
            { type: 'Up', status: 'True' },
            { type: 'Ready', status: 'False' },
          ],
        },
      },
    },
    {
      name: 'apply to status of nothing',
      method: 'PATCH',
      type: patchTypes.apply,
      path: `${all}/none/status?fieldManager=agent`,
      body: {
        apiVersion: `${group}/v1`,
        kind: 'Widget',
        metadata: { name: 'none' },
        status: { phase: 'Good' },
      },
    },
    {
      name: 'without a manager',
      method: 'PATCH',
      type: patchTypes.apply,
      path: `${all}/a`,
      body: widget(group, 'a', { size: 7 }),
    },
    {
      name: 'without apiVersion',
      method: 'PATCH',
      type: patchTypes.apply,
      path: `${all}/a?fieldManager=one`,
      body: { metadata: { name: 'a' }, spec: { size: 7 } },
    },
    {
      name: 'with managedFields',
      ...apply('a', 'one', { size: 7 }, '', { managedFields: [{ manager: 'x' }] }),
    },
    {
      name: 'with another name',
      method: 'PATCH',
      type: patchTypes.apply,
      path: `${all}/a?fieldManager=one`,
      body: widget(group, 'b', { size: 7 }),
    },
    {
      name: 'with a resourceVersion to create',
      ...apply('rv', 'one', { size: 7 }, '', { resourceVersion: '7' }),
    },
    {
      name: 'with an old resourceVersion',
      ...apply('a', 'one', { size: 7 }, '&force=true', { resourceVersion: '1' }),
    },
    { name: 'an unknown field', ...apply('a', 'one', { size: 7, unknown: 'x' }) },
    {
      name: 'an unknown field, strict',
      ...apply('a', 'one', { size: 7, unknown: 'x' }, '&fieldValidation=Strict'),
    },
    { name: 'a wrong type', ...apply('a', 'one', { size: 'x' }) },
    { name: 'a duplicate key', ...apply('a', 'one', { size: 7, ports: [{ port: 1 }, { port: 1 }] }) },
    { name: 'invalid', ...apply('a', 'one', { size: 700 }, '&force=true') },
    { name: 'dry run', ...apply('a', 'one', { size: 8 }, '&force=true&dryRun=All') },
    {
      name: 'force on another patch',
      method: 'PATCH',
      type: patchTypes.merge,
      path: `${all}/a?force=true`,
      body: {},
    },
    { name: 'a bad manager', ...apply('a', 'x'.repeat(129), { size: 7 }) },
    {
      name: 'labels and finalizers',
      ...apply('a', 'meta', { size: 7 }, '', {
        labels: { l: '1' },
        annotations: { n: '1' },
        finalizers: ['differential.test/f'],
      }),
    },
    { name: 'without them again', ...apply('a', 'meta', { size: 7 }) },
    {
      name: 'clear the managers',
      method: 'PATCH',
      type: patchTypes.merge,
      path: `${all}/a`,
      body: { metadata: { managedFields: [{}] } },
    },
    { name: 'after that', ...apply('a', 'again', { size: 7 }) },
    {
      name: 'YAML',
      method: 'PATCH',
      type: patchTypes.apply,
      path: `${all}/yaml?fieldManager=one`,
      body: `apiVersion: ${group}/v1\nkind: Widget\nmetadata:\n  name: yaml\nspec:\n  size: 3\n  color: "green"\n`,
    },
    {
      name: 'put takes what it changes',
      method: 'PUT',
      path: `${all}/yaml?fieldManager=hand`,
      body: (answers) =>
        widget(
          group,
          'yaml',
          { size: 4, color: 'green', code: 'abc' },
          { resourceVersion: from(answers, 'YAML', 'metadata.resourceVersion') },
        ),
    },
    forget(group),
  ],
};
