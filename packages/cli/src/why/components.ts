import type {
  Machine,
  MachineComponentEntry,
  MachineComponentSet,
  MachineComponentStatus,
} from '@kubenode/api';
import { findCondition } from '@kubenode/runtime';
import { haltOf } from '../rollout-state.ts';
import type { Finding } from './finding.ts';

/**
 * What is in the way of a machine's components.
 *
 * @param sets those that select the machine
 * @param now epoch milliseconds
 */
export function componentFindings(
  machine: Machine,
  sets: readonly MachineComponentSet[],
  now: number,
): Finding[] {
  const entries = new Map((machine.spec.components ?? []).map((entry) => [entry.name, entry]));
  const states = new Map((machine.status?.components ?? []).map((state) => [state.name, state]));
  const byComponent = Map.groupBy(sets, ({ spec }) => spec.component);
  const names = [...new Set([...entries.keys(), ...states.keys(), ...byComponent.keys()])].sort((a, b) =>
    a < b ? -1 : 1,
  );
  return names.flatMap((name): Finding[] => {
    const entry = entries.get(name);
    const candidates = byComponent.get(name) ?? [];
    const tie = tieOf(name, candidates);
    const set = candidates.toSorted((a, b) => b.spec.priority - a.spec.priority)[0];
    const own = [
      ...(tie === undefined ? placeFinding(name, entry, set) : [tie]),
      ...(entry === undefined ? [] : stateFinding(entry, states.get(name), now)),
    ];
    return own;
  });
}

function tieOf(name: string, candidates: readonly MachineComponentSet[]): Finding | undefined {
  const highest = Math.max(...candidates.map(({ spec }) => spec.priority));
  const first = candidates.filter(({ spec }) => spec.priority === highest);
  if (first.length < 2) return undefined;
  const names = first.map(({ metadata }) => metadata.name).sort((a, b) => (a < b ? -1 : 1));
  return {
    what: `component ${name}`,
    why: `the sets ${names.join(' and ')} both select the machine, with priority ${highest}: nobody decides`,
    next: 'the machine keeps what it has',
    help: 'give one of them another spec.priority, or another selector',
  };
}

/** The entry is not what the set wants: the rollout is not there yet. */
function placeFinding(
  name: string,
  entry: MachineComponentEntry | undefined,
  set: MachineComponentSet | undefined,
): Finding[] {
  if (set === undefined) return [];
  const { metadata, spec, status } = set;
  const wanted = status?.updateRevision ?? spec.revision;
  if (
    entry !== undefined &&
    (wanted === undefined || (entry.revision === wanted && entry.state === 'Present'))
  )
    return [];
  const what = `component ${name}`;
  const degraded = findCondition(status?.conditions, 'Degraded');
  const { batch } = status ?? {};
  const stands =
    entry === undefined
      ? `set ${metadata.name} selects the machine and has not brought it yet`
      : `set ${metadata.name} wants ${wanted ?? ''}, the machine is told ${entry.revision}`;
  if (spec.paused) {
    return [
      {
        what,
        why: `${stands}; the set is paused`,
        next: 'nothing, until it is resumed',
        help: `kubenode resume set/${metadata.name}`,
      },
    ];
  }
  const halt = haltOf(set);
  if (halt !== undefined) {
    return [
      {
        what,
        why: `${stands}; the rollout is stopped in batch ${halt.batch} (${halt.cause}): ${halt.message}`,
        since: halt.at,
        next: 'nothing, until a person acts',
        help: `kubenode why set/${metadata.name}`,
      },
    ];
  }
  const reason =
    batch?.reason || (degraded?.status === 'True' ? degraded.message : '') || 'its turn has not come';
  return [
    {
      what,
      why: `${stands}: ${reason}`,
      ...(batch?.since === undefined ? {} : { since: batch.since }),
      next:
        batch === undefined
          ? 'it is moved in its batch'
          : `it is moved when batch ${batch.number} (${batch.size} machines, ${batch.state}) lets the next begin`,
      ...(batch?.until === undefined ? {} : { at: batch.until }),
      help: `kubenode why set/${metadata.name}`,
    },
  ];
}

function stateFinding(
  entry: MachineComponentEntry,
  is: MachineComponentStatus | undefined,
  now: number,
): Finding[] {
  const what = `component ${entry.name}`;
  if (is === undefined) {
    return [
      {
        what,
        why: `the machine is told to have ${entry.revision}, and its agent has not said anything about it yet`,
        ...(entry.movedAt === undefined ? {} : { since: entry.movedAt }),
        next: 'the agent brings it as soon as it sees it',
      },
    ];
  }
  const since = is.since === undefined ? {} : { since: is.since };
  const drift = driftFinding(entry, is);
  if (is.state === 'Ready') return drift;
  const detail = is.message === undefined || is.message === '' ? '' : `: ${is.message}`;
  const step = is.step === undefined || is.step === '' ? '' : ` (step ${is.step})`;
  return [{ what, why: `${is.state}${step}${detail}`, ...since, ...nextOf(entry, is, now) }, ...drift];
}

function nextOf(
  entry: MachineComponentEntry,
  is: MachineComponentStatus,
  now: number,
): Pick<Finding, 'next' | 'at' | 'help'> {
  const retry =
    entry.set === undefined
      ? {}
      : { help: `kubenode retry set/${entry.set} tries at once, on all machines of the set that failed` };
  const { running, lastGood } = is;
  const at = retryTime(is.message ?? is.failed?.message ?? '', now);
  const nexts: Record<MachineComponentStatus['state'], Pick<Finding, 'next' | 'at' | 'help'>> = {
    Waiting: { next: 'it begins as soon as what it waits for is there' },
    Installing: {
      next: 'it has to be healthy by its progressDeadline; otherwise the last good revision comes back',
    },
    RollingBack: {
      next: `the last good revision${lastGood === undefined ? '' : `, ${lastGood},`} is applied again`,
    },
    Failed: {
      next: `${running === undefined ? 'nothing of it runs' : `${running} runs`}; tried again later each time, or when the revision changes`,
      ...(at === undefined ? {} : { at }),
      ...retry,
    },
    Degraded:
      entry.drift === 'Report'
        ? {
            next: 'nothing: drift is only reported (drift: Report)',
            help: 'set drift: Repair on its set, or put it right by hand',
          }
        : { next: 'the agent repairs it, within seconds for files and units' },
    Unverified: {
      next: 'it is left as it runs: what cannot be proven is not touched',
      help: 'a rollout to another revision replaces it',
    },
    Removing: { next: 'it is removed' },
    Ready: { next: 'nothing' },
  };
  return nexts[is.state];
}

function retryTime(message: string, now: number): string | undefined {
  const at = /\b(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z)\b/.exec(message)?.[1];
  return at !== undefined && Date.parse(at) > now ? at : undefined;
}

const correctness = { version: 'version', config: 'configuration', running: 'running' } as const;

function driftFinding(entry: MachineComponentEntry, is: MachineComponentStatus): Finding[] {
  const wrong = (['version', 'config', 'running'] as const).filter((what) => is.correct?.[what] === 'False');
  if (wrong.length === 0 || entry.drift === 'Repair') return [];
  const last = is.drift?.last;
  return [
    {
      what: `component ${entry.name}`,
      why: `${wrong.map((what) => correctness[what]).join(' and ')} not as declared${last === undefined ? '' : ` (${last.what})`}`,
      ...(last === undefined ? {} : { since: last.at }),
      next: 'nothing: drift is only reported (drift: Report)',
      help: `set drift: Repair on set ${entry.set ?? ''}, or put it right by hand`,
    },
  ];
}
