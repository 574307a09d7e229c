import { child, isObj, type KubeObject, type Obj } from '../object.ts';

/** Core name to events.k8s.io name, where they differ. */
const RENAMED: [string, string][] = [
  ['involvedObject', 'regarding'],
  ['message', 'note'],
  ['reportingComponent', 'reportingController'],
  ['source', 'deprecatedSource'],
  ['firstTimestamp', 'deprecatedFirstTimestamp'],
  ['lastTimestamp', 'deprecatedLastTimestamp'],
  ['count', 'deprecatedCount'],
];

function renamed(object: KubeObject, apiVersion: string, pairs: [string, string][]): KubeObject {
  const out: Obj = { ...object };
  for (const [from, to] of pairs) {
    if (object[from] === undefined) continue;
    delete out[from];
    out[to] = object[from];
  }
  const { apiVersion: _version, kind: _kind, metadata, ...rest } = out;
  return { apiVersion, kind: 'Event', metadata: { ...(metadata as KubeObject['metadata']) }, ...rest };
}

/** A stored (core/v1) Event as events.k8s.io/v1. */
export function readEvent(stored: KubeObject): KubeObject {
  const event = renamed(stored, 'events.k8s.io/v1', RENAMED);
  for (const key of ['reportingController', 'reportingInstance']) if (event[key] === '') delete event[key];
  return event;
}

/** An events.k8s.io/v1 Event as it is stored. */
export function writeEvent(object: KubeObject): KubeObject {
  return renamed(
    object,
    'v1',
    RENAMED.map(([from, to]) => [to, from]),
  );
}

/** When it was last seen (ms); its time to live counts from its last write, of which this is the closest to know. */
export function eventTouched(event: KubeObject): number {
  const series = child(event, 'series');
  const times = [
    series['lastObservedTime'],
    event['lastTimestamp'],
    event['eventTime'],
    event.metadata.creationTimestamp,
  ];
  const known = times.map((t) => (typeof t === 'string' ? Date.parse(t) : Number.NaN)).filter((t) => t > 0);
  return isObj(event) && known.length > 0 ? Math.max(...known) : 0;
}
