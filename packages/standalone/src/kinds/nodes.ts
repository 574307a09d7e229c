import type { Cause } from '../http/status.ts';
import { isObj, list, text, type KubeObject } from '../object.ts';
import { badValue, unsupported } from '../registry/metadata.ts';
import { openStatus, type Particular } from './particular.ts';

const EFFECTS = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'];

/** Nodes. */
export const nodes: Particular = {
  ...openStatus,
  createdWithStatus: true,
  onCreate: (object) => {
    nodeTimes(object);
  },
  onUpdate: (object) => {
    nodeTimes(object);
  },
  validate: (object) => {
    const causes: Cause[] = [];
    const seen = new Set<string>();
    list(object, 'spec', 'taints').forEach((taint, i) => {
      const [key, effect] = [text(taint, 'key') ?? '', text(taint, 'effect') ?? ''];
      if (!EFFECTS.includes(effect))
        causes.push(unsupported(`metadata.taints[${i}].effect`, effect, EFFECTS));
      if (seen.has(`${key}:${effect}`)) {
        causes.push({
          reason: 'FieldValueDuplicate',
          message: `Duplicate value: ${JSON.stringify(taint)}: taints must be unique by key and effect pair`,
          field: `metadata.taints[${i}]`,
        });
      }
      seen.add(`${key}:${effect}`);
    });
    return causes;
  },
};

/** Go writes a time that is not set as null. */
function nodeTimes(node: KubeObject): void {
  for (const condition of list(node, 'status', 'conditions').filter(isObj)) {
    condition['lastHeartbeatTime'] ??= null;
    condition['lastTransitionTime'] ??= null;
  }
}

/** Events, in both groups. */
export const events: Particular = {
  onCreate: eventTimes,
  onUpdate: eventTimes,
  validate: (object, old) => {
    const inside = object.metadata.namespace ?? '';
    const about =
      text(object, object.apiVersion === 'v1' ? 'involvedObject' : 'regarding', 'namespace') ?? '';
    if (old || (about || 'default') === inside) return [];
    return [badValue('involvedObject.namespace', about, 'does not match event.namespace')];
  },
};

function eventTimes(event: KubeObject): void {
  const names =
    event.apiVersion === 'v1'
      ? ['eventTime', 'firstTimestamp', 'lastTimestamp']
      : ['eventTime', 'deprecatedFirstTimestamp', 'deprecatedLastTimestamp'];
  for (const name of names) event[name] ??= null;
}
