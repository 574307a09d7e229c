import type { Machine as MachineObject } from '@kubenode/api';
import { type Client, isUnavailable, watchObject } from '@kubenode/runtime';
import { Machine, MachineComponent } from '../connect/kinds.ts';
import type { Clock } from '../clock.ts';
import type { Logger } from '../log.ts';
import type { DesiredMachine, Revision } from '../plan/goal.ts';
import type { Desired, DesiredStore } from './desired.ts';

/** A revision that could not be read is asked for again after this time; a change of the Machine asks at once. */
const askAgainMs = 15_000;

export interface FollowOptions {
  readonly client: Client;
  readonly machine: string;
  readonly store: DesiredStore;
  readonly clock: Clock;
  readonly log: Logger;
  /** What was kept on disk. */
  readonly known: Desired | undefined;
  readonly changed: (desired: Desired) => void;
  /** Told each time the watch fails; it goes on by itself. */
  readonly onError: (error: unknown) => void;
  /** Told what the API server holds; undefined: there is no such Machine, and no status of it can be written. */
  readonly present: (machine: MachineObject | undefined) => void;
  /** Told when the agent is to take itself off the host: the Machine is being deleted, and all its components are removed. */
  readonly leave: () => void;
}

/** Reason of the condition Deleting by which the Machine controller tells the agent to leave. */
const agentLeaves = 'AgentLeaves';

/**
 * Follows one Machine and fetches the revisions that it names; both go to disk before anybody acts on them. A Machine that is gone,
 * or that can't be made sense of, changes nothing: the last good one stays.
 */
export async function followDesired(options: FollowOptions, signal: AbortSignal): Promise<void> {
  const { client, machine, log } = options;
  const revisions = new Map((options.known?.revisions ?? []).map((revision) => [revision.name, revision]));
  let asking = new AbortController();
  const { onError } = options;
  for await (const object of watchObject(client, Machine, machine, { signal, onError })) {
    asking.abort();
    options.present(object);
    if (object === undefined) {
      log.warn('the Machine does not exist; the host is held as it is', { machine });
      continue;
    }
    if (isToldToLeave(object)) {
      options.leave();
      continue;
    }
    const parsed = readMachine(object);
    if (parsed === undefined) {
      log.error('the Machine makes no sense; the host is held as it was', {
        machine,
        resourceVersion: object.metadata.resourceVersion,
      });
      continue;
    }
    asking = new AbortController();
    void complete(parsed, revisions, options, AbortSignal.any([signal, asking.signal])).catch(
      (error: unknown) => {
        if (!signal.aborted) log.error('the desired state could not be kept', { error: String(error) });
      },
    );
  }
  asking.abort();
}

/** Fetches what is missing, keeps and gives what there is, and asks again for the rest until the Machine changes. */
async function complete(
  machine: DesiredMachine,
  known: Map<string, Revision>,
  { client, store, clock, log, changed }: FollowOptions,
  signal: AbortSignal,
): Promise<void> {
  for (let round = 0; !signal.aborted; round++) {
    let missing = 0;
    let news = round === 0;
    for (const entry of machine.entries) {
      const have = known.get(entry.revision);
      if (have !== undefined && (entry.revisionUID === undefined || have.uid === entry.revisionUID)) continue;
      try {
        const object = await client.get(MachineComponent, entry.revision, { signal });
        if (object?.metadata.uid === undefined) missing++;
        else {
          news = news || have?.uid !== object.metadata.uid;
          known.set(entry.revision, { name: entry.revision, uid: object.metadata.uid, spec: object.spec });
          if (entry.revisionUID !== undefined && object.metadata.uid !== entry.revisionUID) missing++;
        }
      } catch (error) {
        if (signal.aborted) return;
        missing++;
        if (!isUnavailable(error))
          log.warn('a revision could not be read', { revision: entry.revision, error: String(error) });
      }
    }
    if (signal.aborted) return;
    const named = new Set(machine.entries.map(({ revision }) => revision));
    for (const name of known.keys()) if (!named.has(name)) known.delete(name);
    if (news) {
      const desired = { machine, revisions: [...known.values()] };
      await store.write(desired);
      if (signal.aborted) return;
      changed(desired);
    }
    if (missing === 0) return;
    await clock.sleep(askAgainMs, signal).catch(() => undefined);
  }
}

/** All three must say so: nothing less makes an agent leave. */
function isToldToLeave({ metadata, spec, status }: MachineObject): boolean {
  return (
    metadata.deletionTimestamp !== undefined &&
    spec?.deletionPolicy === 'Delete' &&
    status?.conditions?.some(({ type, reason }) => type === 'Deleting' && reason === agentLeaves) === true
  );
}

/** The part that the agent works from; undefined where the object isn't of the shape that the CRD promises. */
export function readMachine(object: MachineObject): DesiredMachine | undefined {
  const entries = object.spec?.components ?? [];
  const sound =
    typeof object.metadata.uid === 'string' &&
    Array.isArray(entries) &&
    entries.every(({ name, revision }) => typeof name === 'string' && typeof revision === 'string');
  if (!sound) return undefined;
  return {
    name: object.metadata.name,
    uid: object.metadata.uid ?? '',
    generation: object.metadata.generation ?? 0,
    nodeName: object.spec.nodeName ?? '',
    paused: object.spec.paused ?? false,
    entries,
    ...leaveOf(object),
  };
}

function leaveOf({ status }: MachineObject): Pick<DesiredMachine, 'leave'> {
  const { id, kind, state, message } = status?.disruption ?? {};
  if (id === undefined || kind === undefined || state === undefined) return {};
  return { leave: { id, kind, state, ...(message === undefined ? {} : { message }) } };
}
