import { type Conversation, from, patchTypes } from '../conversation.ts';
import { define, forget, widget, widgets } from './widget.ts';

const group = 'crud.differential.test';
const all = widgets(group);
const one = `${all}/a`;

export const customResources: Conversation = {
  name: 'a custom resource from creation to deletion',
  steps: [
    ...define(group),
    { name: 'get what is not there', path: one },
    { name: 'create', method: 'POST', path: all, body: widget(group, 'a', { size: 1, nested: {} }) },
    { name: 'create it again', method: 'POST', path: all, body: widget(group, 'a', { size: 1 }) },
    { name: 'get', path: one },
    { name: 'create without a name', method: 'POST', path: all, body: widget(group, '', { size: 1 }) },
    {
      name: 'create with a bad name',
      method: 'POST',
      path: all,
      body: widget(group, 'Not_Good', { size: 1 }),
    },
    {
      name: 'create with bad labels',
      method: 'POST',
      path: all,
      body: widget(group, 'b', { size: 1 }, { labels: { 'a b': 'x y' } }),
    },
    {
      name: 'create of another kind',
      method: 'POST',
      path: all,
      body: { ...widget(group, 'b', { size: 1 }), kind: 'Gadget' },
    },
    {
      name: 'create of another version',
      method: 'POST',
      path: all,
      body: { ...widget(group, 'b', { size: 1 }), apiVersion: `${group}/v2` },
      mayDiffer: {
        warnings: 'the real server tries it on a type without a spec before it looks at the version',
      },
    },
    {
      name: 'create in a namespace',
      method: 'POST',
      path: all,
      body: widget(group, 'b', { size: 1 }, { namespace: 'default' }),
    },
    {
      name: 'create with a resourceVersion',
      method: 'POST',
      path: all,
      body: widget(group, 'b', { size: 1 }, { resourceVersion: '1' }),
    },
    {
      name: 'create with a status',
      method: 'POST',
      path: all,
      body: { ...widget(group, 'b', { size: 1 }), status: { phase: 'X' } },
    },
    { name: 'dry run', method: 'POST', path: `${all}?dryRun=All`, body: widget(group, 'dry', { size: 1 }) },
    { name: 'dry run left nothing', path: `${all}/dry` },
    {
      name: 'bad dry run',
      method: 'POST',
      path: `${all}?dryRun=Some`,
      body: widget(group, 'dry', { size: 1 }),
    },
    {
      name: 'update',
      method: 'PUT',
      path: one,
      body: (answers) => ({
        ...widget(
          group,
          'a',
          { size: 2, color: 'blue' },
          { resourceVersion: from(answers, 'create', 'metadata.resourceVersion') },
        ),
      }),
    },
    {
      name: 'update from an old version',
      method: 'PUT',
      path: one,
      body: (answers) =>
        widget(
          group,
          'a',
          { size: 3 },
          { resourceVersion: from(answers, 'create', 'metadata.resourceVersion') },
        ),
    },
    { name: 'update without a version', method: 'PUT', path: one, body: widget(group, 'a', { size: 3 }) },
    { name: 'update of another name', method: 'PUT', path: one, body: widget(group, 'b', { size: 3 }) },
    {
      name: 'update with another uid',
      method: 'PUT',
      path: one,
      body: (answers) =>
        widget(
          group,
          'a',
          { size: 3 },
          { uid: 'f00', resourceVersion: from(answers, 'update', 'metadata.resourceVersion') },
        ),
    },
    {
      name: 'update of what is not there',
      method: 'PUT',
      path: `${all}/none`,
      body: widget(group, 'none', { size: 3 }, { resourceVersion: '1' }),
    },
    {
      name: 'update ignores status',
      method: 'PUT',
      path: one,
      body: (answers) => ({
        ...widget(
          group,
          'a',
          { size: 4 },
          { resourceVersion: from(answers, 'update', 'metadata.resourceVersion') },
        ),
        status: { phase: 'X' },
      }),
    },
    {
      name: 'status',
      method: 'PUT',
      path: `${one}/status`,
      body: (answers) => ({
        ...widget(
          group,
          'a',
          { size: 99 },
          {
            labels: { ignored: 'yes' },
            resourceVersion: from(answers, 'update ignores status', 'metadata.resourceVersion'),
          },
        ),
        status: { phase: 'Good', replicas: 2 },
      }),
    },
    {
      name: 'merge into status',
      method: 'PATCH',
      type: patchTypes.merge,
      path: `${one}/status`,
      body: { spec: { size: 50 }, status: { phase: 'Better' } },
    },
    { name: 'get status', path: `${one}/status` },
    { name: 'get scale', path: `${one}/scale` },
    {
      name: 'scale',
      method: 'PATCH',
      type: patchTypes.merge,
      path: `${one}/scale`,
      body: { spec: { replicas: 5 } },
    },
    { name: 'after scaling', path: one },
    { name: 'an unknown subresource', path: `${one}/nothing` },
    { name: 'an update that changes nothing', method: 'PATCH', type: patchTypes.merge, path: one, body: {} },
    {
      name: 'generation counts spec only',
      method: 'PATCH',
      type: patchTypes.merge,
      path: one,
      body: { metadata: { labels: { x: 'y' } } },
    },
    {
      name: 'set a finalizer',
      method: 'PATCH',
      type: patchTypes.merge,
      path: one,
      body: { metadata: { finalizers: ['differential.test/hold'] } },
    },
    {
      name: 'a bad finalizer',
      method: 'PATCH',
      type: patchTypes.merge,
      path: one,
      body: { metadata: { finalizers: ['bad one'] } },
    },
    {
      name: 'delete with another uid',
      method: 'DELETE',
      path: one,
      body: { apiVersion: 'v1', kind: 'DeleteOptions', preconditions: { uid: 'f00' } },
    },
    { name: 'delete is held', method: 'DELETE', path: one },
    {
      name: 'a new finalizer is refused now',
      method: 'PATCH',
      type: patchTypes.merge,
      path: one,
      body: { metadata: { finalizers: ['differential.test/hold', 'differential.test/more'] } },
    },
    {
      name: 'spec may change still',
      method: 'PATCH',
      type: patchTypes.merge,
      path: one,
      body: { spec: { size: 9 } },
    },
    {
      name: 'let go',
      method: 'PATCH',
      type: patchTypes.merge,
      path: one,
      body: { metadata: { finalizers: null } },
    },
    { name: 'gone', path: one },
    { name: 'delete what is gone', method: 'DELETE', path: one },
    { name: 'delete', method: 'DELETE', path: `${all}/b` },
    forget(group),
  ],
};
