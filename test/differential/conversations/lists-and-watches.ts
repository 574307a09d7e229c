import { type Conversation, from, patchTypes } from '../conversation.ts';
import { define, forget, widget, widgets } from './widget.ts';

const group = 'lists.differential.test';
const all = widgets(group);
const table = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json';
const partial = 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io,application/json';
const partialList = 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json';

const pool = (name: string, i: number) =>
  widget(
    group,
    name,
    { size: i, color: i % 2 ? 'red' : 'blue' },
    { labels: { pool: i < 3 ? 'web' : 'db', [`n${i}`]: 'yes' } },
  );

export const listsAndWatches: Conversation = {
  name: 'lists, selectors, pages, tables and watches',
  steps: [
    ...define(group),
    { name: 'an empty list', path: all },
    ...['a', 'b', 'c', 'd', 'e'].map((name, i) => ({
      name: `create ${name}`,
      method: 'POST' as const,
      path: all,
      body: pool(name, i + 1),
    })),
    { name: 'list', path: all },
    { name: 'by label', path: `${all}?labelSelector=pool%3Dweb` },
    { name: 'by label, not', path: `${all}?labelSelector=pool!%3Dweb` },
    { name: 'by label, in', path: `${all}?labelSelector=pool%20in%20(db,x),n4` },
    { name: 'by label, not there', path: `${all}?labelSelector=!n4` },
    { name: 'a bad label selector', path: `${all}?labelSelector=a%20b%20c` },
    { name: 'by name', path: `${all}?fieldSelector=metadata.name%3Dc` },
    { name: 'by name, not', path: `${all}?fieldSelector=metadata.name!%3Dc` },
    { name: 'by a selectable field', path: `${all}?fieldSelector=spec.color%3Dblue` },
    { name: 'by another field', path: `${all}?fieldSelector=spec.size%3D1` },
    { name: 'first page', path: `${all}?limit=2` },
    {
      name: 'second page',
      path: (answers) =>
        `${all}?limit=2&continue=${encodeURIComponent(from(answers, 'first page', 'metadata.continue'))}`,
    },
    { name: 'a bad continue', path: `${all}?limit=2&continue=nonsense` },
    { name: 'at resourceVersion 0', path: `${all}?resourceVersion=0` },
    { name: 'at a bad resourceVersion', path: `${all}?resourceVersion=x` },
    { name: 'a table', path: all, accept: table },
    { name: 'a table of one', path: `${all}/a`, accept: table },
    { name: 'a table without objects', path: `${all}?includeObject=None`, accept: table },
    { name: 'metadata only', path: `${all}/a`, accept: partial },
    { name: 'a list of metadata', path: `${all}?limit=1`, accept: partialList },
    { name: 'not acceptable', path: all, accept: 'text/csv' },
    {
      name: 'watch with initial events',
      path: `${all}?watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true`,
      events: 6,
    },
    {
      name: 'watch from a version',
      path: (answers) =>
        `${all}?watch=true&resourceVersion=${from(answers, 'create c', 'metadata.resourceVersion')}`,
      events: 2,
    },
    {
      name: 'watch one name',
      path: `${all}?watch=true&fieldSelector=metadata.name%3Dd&resourceVersion=0`,
      events: 1,
    },
    {
      name: 'change a label',
      method: 'PATCH',
      type: patchTypes.merge,
      path: `${all}/a`,
      body: { metadata: { labels: { pool: 'db' } } },
    },
    {
      name: 'out of a selector is DELETED',
      path: (answers) =>
        `${all}?watch=true&labelSelector=pool%3Dweb&resourceVersion=${from(answers, 'create e', 'metadata.resourceVersion')}`,
      events: 1,
    },
    {
      name: 'into a selector is ADDED',
      path: (answers) =>
        `${all}?watch=true&labelSelector=pool%3Ddb&resourceVersion=${from(answers, 'create e', 'metadata.resourceVersion')}`,
      events: 1,
    },
    { name: 'sendInitialEvents without the match', path: `${all}?watch=true&sendInitialEvents=true` },
    { name: 'sendInitialEvents on a list', path: `${all}?sendInitialEvents=true` },
    {
      name: 'a table watch',
      accept: table,
      path: `${all}?watch=true&fieldSelector=metadata.name%3Dd&resourceVersion=0`,
      events: 1,
    },
    { name: 'delete', method: 'DELETE', path: `${all}/d` },
    {
      name: 'watch a deletion',
      path: (answers) =>
        `${all}?watch=true&resourceVersion=${from(answers, 'change a label', 'metadata.resourceVersion')}`,
      events: 1,
    },
    { name: 'delete by selector', method: 'DELETE', path: `${all}?labelSelector=pool%3Ddb` },
    { name: 'what is left', path: all },
    forget(group),
  ],
  mayDiffer: {
    'rows.*.cells.3': 'an age',
    'metadata.remainingItemCount': 'left out by the real server when it is served from its cache',
  },
};
