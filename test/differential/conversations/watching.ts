/** What keeps a cache right: resuming, too old and too new versions, bookmarks, projections, deletions by the dozen. */
import { type Conversation, from, patchTypes, type Step } from '../conversation.ts';
import { define, forget, widget, widgets } from './widget.ts';

const group = 'watches.differential.test';
const all = widgets(group);
const partial = 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io,application/json';
const table = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json';
const initial = 'sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true';
/** Far beyond anything that either server reaches. */
const future = '900000000';

const size = (name: string, step: string, value: number): Step => ({
  name: step,
  method: 'PATCH',
  type: patchTypes.merge,
  path: `${all}/${name}`,
  body: { spec: { size: value } },
});

export const watching: Conversation = {
  name: 'watches that resume, expire and are told how far they are',
  steps: [
    ...define(group),
    ...['a', 'b', 'c'].map(
      (name, i): Step => ({
        name: `create ${name}`,
        method: 'POST',
        path: all,
        body: widget(group, name, { size: i + 1 }, { labels: { pool: name === 'c' ? 'db' : 'web' } }),
      }),
    ),
    { name: 'a stream of the beginning', path: `${all}?watch=true&${initial}`, events: 4 },
    size('a', 'while nobody watches', 10),
    size('b', 'and again', 20),
    {
      name: 'resume from the bookmark',
      path: (answers) =>
        `${all}?watch=true&allowWatchBookmarks=true&resourceVersion=${from(answers, 'a stream of the beginning', '3.object.metadata.resourceVersion')}`,
      events: 2,
    },
    size('a', 'one more', 11),
    {
      name: 'resume from an event',
      path: (answers) =>
        `${all}?watch=true&resourceVersion=${from(answers, 'resume from the bookmark', '0.object.metadata.resourceVersion')}`,
      events: 2,
    },
    {
      name: 'resume by one name',
      path: (answers) =>
        `${all}?watch=true&fieldSelector=metadata.name%3Da&resourceVersion=${from(answers, 'create c', 'metadata.resourceVersion')}`,
      events: 2,
    },
    {
      name: 'initial events from a version',
      path: (answers) =>
        `${all}?watch=true&${initial}&resourceVersion=${from(answers, 'create c', 'metadata.resourceVersion')}`,
      events: 4,
    },
    {
      name: 'initial events of nothing',
      path: `${all}?watch=true&${initial}&labelSelector=pool%3Dnone`,
      events: 1,
    },
    { name: 'too old', path: `${all}?watch=true&resourceVersion=1`, events: 1 },
    {
      name: 'from the future',
      path: `${all}?watch=true&timeoutSeconds=5&resourceVersion=${future}`,
      events: 1,
      uncompared:
        'the real server is silent; the embedded one, whose folder can be set back, says that it was',
    },
    {
      name: 'initial events from the future',
      path: `${all}?watch=true&${initial}&resourceVersion=${future}`,
      events: 1,
    },
    {
      name: 'a list from the future',
      path: `${all}?resourceVersion=${future}`,
    },
    { name: 'an object from the future', path: `${all}/a?resourceVersion=${future}` },
    { name: 'not a version', path: `${all}?watch=true&resourceVersion=x` },
    { name: 'the only match that goes with it', path: `${all}?watch=true&resourceVersionMatch=Exact` },
    {
      name: 'sendInitialEvents, exactly',
      path: `${all}?watch=true&sendInitialEvents=true&resourceVersionMatch=Exact`,
    },
    { name: 'a list with the match alone', path: `${all}?resourceVersionMatch=NotOlderThan` },
    { name: 'a list not older than', path: `${all}?resourceVersion=1&resourceVersionMatch=NotOlderThan` },
    {
      name: 'a list exactly then',
      path: (answers) =>
        `${all}?resourceVersionMatch=Exact&resourceVersion=${from(answers, 'create b', 'metadata.resourceVersion')}`,
    },
    { name: 'a list exactly at 0', path: `${all}?resourceVersion=0&resourceVersionMatch=Exact` },
    { name: 'a bad field', path: `${all}?watch=true&fieldSelector=spec.size%3D1` },
    { name: 'a bad timeout', path: `${all}?watch=true&timeoutSeconds=x` },
    {
      name: 'one that ends by itself',
      path: `${all}?watch=true&timeoutSeconds=1&fieldSelector=metadata.name%3Da`,
      events: 100,
    },
    { name: 'metadata only', path: `${all}?watch=true&${initial}`, accept: partial, events: 4 },
    {
      name: 'metadata only, later',
      accept: partial,
      path: (answers) =>
        `${all}?watch=true&resourceVersion=${from(answers, 'create c', 'metadata.resourceVersion')}`,
      events: 3,
    },
    { name: 'a table from the beginning', path: `${all}?watch=true&${initial}`, accept: table, events: 4 },
    { name: 'delete the web pool', method: 'DELETE', path: `${all}?labelSelector=pool%3Dweb` },
    {
      name: 'deletions of a collection',
      path: (answers) =>
        `${all}?watch=true&resourceVersion=${from(answers, 'one more', 'metadata.resourceVersion')}`,
      events: 2,
    },
    { name: 'delete what nobody is', method: 'DELETE', path: `${all}?labelSelector=pool%3Dnone` },
    { name: 'delete with a bad selector', method: 'DELETE', path: `${all}?labelSelector=a%20b` },
    {
      name: 'delete all, dry run',
      method: 'DELETE',
      path: `${all}?dryRun=All`,
    },
    { name: 'one is left', path: all },
    {
      name: 'hold it',
      method: 'PATCH',
      type: patchTypes.merge,
      path: `${all}/c`,
      body: { metadata: { finalizers: ['differential.test/hold'] } },
    },
    { name: 'delete all', method: 'DELETE', path: all },
    {
      name: 'let it go',
      method: 'PATCH',
      type: patchTypes.merge,
      path: `${all}/c`,
      body: { metadata: { finalizers: null } },
    },
    {
      name: 'a held deletion is MODIFIED, then DELETED',
      path: (answers) =>
        `${all}?watch=true&resourceVersion=${from(answers, 'hold it', 'metadata.resourceVersion')}`,
      events: 2,
    },
    forget(group),
  ],
  mayDiffer: { 'rows.*.cells.3': 'an age' },
};
