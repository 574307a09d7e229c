import { eventTouched } from '../kinds/events.ts';
import { internal } from '../registry/internal.ts';
import { parse } from '../store/store.ts';
import type { Control } from './control.ts';
import { ignoreGone } from './owners.ts';

/** How long an Event lives after it was last written (ms); kube-apiserver's `--event-ttl`. */
export const EVENT_TTL = 3_600_000;

/** Deletes the Events that are older than {@link EVENT_TTL}. */
export async function expireEvents(control: Control): Promise<void> {
  const now = control.clock();
  const resource = control.resources.get('events.');
  if (!resource) return;
  for (const row of control.store.list('events').rows) {
    const event = parse(row.body);
    if (now - eventTouched(event) < EVENT_TTL) continue;
    const request = internal(resource, row.namespace, row.name, now);
    await ignoreGone(
      control.registry.delete(request, {
        propagation: undefined,
        uid: event.metadata.uid,
        resourceVersion: undefined,
        grace: undefined,
      }),
    );
  }
}
