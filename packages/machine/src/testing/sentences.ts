import type { Inspection, Rollout, Window } from '@kubenode/api';
import { parseDuration } from '@kubenode/runtime';
import { type AgentBehaviour, type Badness, Fleet, type LeaveState } from './fleet.ts';
import { Teller } from './story.ts';

type SetSpec = NonNullable<Parameters<Fleet['set']>[1]>;
type Words = readonly string[];

/** What the sentences of a story are about. */
class Stage {
  readonly fleet = new Fleet();
  readonly teller = new Teller(this.fleet);
  #made = 0;

  pool(count: number, labels: Record<string, string>, nodes: boolean): void {
    for (let i = 0; i < count; i += 1) this.machine(`n${(this.#made += 1)}`, labels, nodes);
  }

  machine(name: string, labels: Record<string, string>, isNode = false): void {
    this.fleet.machine(name, labels);
    if (isNode) this.fleet.change(name, (machine) => (machine.spec.nodeName = name));
  }

  /** Brings what the sets ask for to all machines, without gates and windows, and tells nothing of it. */
  bringAll(): void {
    const rollouts = new Map([...this.fleet.sets].map(([name, { spec }]) => [name, spec.rollout]));
    for (const name of rollouts.keys()) {
      this.fleet.set(name, { rollout: { inspections: [], observation: '0s', windows: [] } });
    }
    this.teller.settle();
    for (const [name, rollout] of rollouts) this.fleet.set(name, { rollout });
    this.teller.settle();
    this.teller.take();
  }

  all(names: string): string[] {
    return names === 'all' ? [...this.fleet.machines.keys()] : names.split(/,? and |, */);
  }
}

const behaviours: Readonly<Record<string, AgentBehaviour>> = {
  'works again': 'Ready',
  'is back': 'Ready',
  'are back': 'Ready',
  'work again': 'Ready',
  'does not work any more': 'Degraded',
  'is silent': 'Silent',
  'are silent': 'Silent',
  'reads nothing': 'Slow',
  'read nothing': 'Slow',
  'was never heard of': 'None',
  'fails what is new': 'Failed',
};
const badnesses: Readonly<Record<string, Badness>> = {
  fails: 'Failed',
  'fails and is tried again': 'Retrying',
  hangs: 'Hangs',
};
const leaves: Readonly<Record<string, LeaveState | undefined>> = {
  'waits for the budget': 'Waiting',
  'is being drained': 'Draining',
  'could not be drained': 'Aborted',
  'has leave': 'Granted',
  'is put back to work': undefined,
};

/** Every sentence that a story may use, with what it does. */
const sentences: readonly (readonly [RegExp, (stage: Stage, words: Words) => void])[] = [
  [/^it is (\S+)$/, ({ fleet }, [time = '']) => (fleet.now = Date.parse(time))],
  [
    /^(\d+) (machine|node)s?(?: with (.+))?$/,
    (stage, [n = '', what, labels]) => stage.pool(Number(n), labelsOf(labels), what === 'node'),
  ],
  [/^machine (\S+)(?: with (.+))?$/, (stage, [name = '', labels]) => stage.machine(name, labelsOf(labels))],
  [/^machine (\S+) is gone$/, ({ fleet }, [name = '']) => fleet.removeMachine(name)],
  [
    /^revisions? (.+?)( that restarts?)?$/,
    ({ fleet }, [names = '', restarts]) => {
      for (const name of names.split(', '))
        fleet.revision(name, undefined, undefined, restarts !== undefined);
    },
  ],
  [/^set (\S+): (.+)$/, ({ fleet }, [name = '', spec = '']) => fleet.set(name, specOf(spec))],
  [/^set (\S+) is deleted$/, ({ fleet }, [name = '']) => fleet.deleteSet(name)],
  [/^set (\S+) is being deleted$/, ({ fleet }, [name = '']) => fleet.terminateSet(name)],
  [/^all is Ready$/, (stage) => stage.bringAll()],
  [
    /^(\S+) (fails|fails and is tried again|hangs) everywhere$/,
    ({ fleet }, [name = '', how = '']) => fleet.bad.set(name, badnesses[how] ?? 'Failed'),
  ],
  [/^(\S+) needs a drain$/, ({ fleet }, [name = '']) => fleet.drains.add(name)],
  [
    new RegExp(`^(\\S+) (${Object.keys(leaves).join('|')})$`),
    ({ fleet }, [name = '', how = '']) => fleet.leave(name, leaves[how]),
  ],
  [/^(\S+) is good$/, ({ fleet }, [name = '']) => fleet.bad.delete(name)],
  [
    new RegExp(`^(.+?) (${Object.keys(behaviours).join('|')})$`),
    (stage, [names = '', how = '']) => {
      for (const name of stage.all(names)) stage.fleet.agent(name, behaviours[how] ?? 'Ready');
    },
  ],
  [/^(\S+) has labels (.+)$/, ({ fleet }, [name = '', labels]) => fleet.label(name, labelsOf(labels))],
  [
    /^machine (\S+) is (paused|not paused)$/,
    ({ fleet }, [name = '', how]) => fleet.change(name, (m) => (m.spec.paused = how === 'paused')),
  ],
  [
    /^machine (\S+) is being deleted$/,
    ({ fleet }, [name = '']) =>
      fleet.change(name, (m) => (m.metadata.deletionTimestamp = new Date(fleet.now).toISOString())),
  ],
  [
    /^the Node of (\S+) has (\S+)(?: since (\S+))?$/,
    ({ fleet }, [name = '', type = '', since]) => {
      fleet.nodeProblems.set(name, [
        { type, reason: 'Detected', since: since ?? new Date(fleet.now).toISOString() },
      ]);
      fleet.act();
    },
  ],
  [
    /^the Node of (\S+) is (Ready|not Ready)$/,
    ({ fleet }, [name = '', how]) => {
      if (how === 'Ready') fleet.brokenNodes.delete(name);
      else fleet.brokenNodes.set(name, fleet.now);
      fleet.act();
    },
  ],
  [
    /^inspection (\S+) finds (Passed|Failed|Inconclusive)(?:: (.+))?$/,
    ({ fleet }, [name = '', result, message = '']) =>
      fleet.inspections.say(name, { result: result as 'Passed' | 'Failed' | 'Inconclusive', message }),
  ],
  [/^inspection (\S+) finds nothing$/, ({ fleet }, [name = '']) => fleet.inspections.say(name, undefined)],
  [
    /^the budget allows (\d+) at once$/,
    ({ fleet }, [n = '']) => {
      fleet.budget.atOnce = Number(n);
      fleet.budget.denial = undefined;
      fleet.budget.changed();
    },
  ],
  [
    /^the budget denies all until (\S+): (.+)$/,
    ({ fleet }, [until = '', message = '']) =>
      (fleet.budget.denial = { limit: message.split(':')[0] ?? '', message, until: Date.parse(until) }),
  ],
  [
    /^the API server is (\S+)$/,
    ({ fleet }, [version]) => {
      fleet.serverVersion = version;
      fleet.assignments.touchComponent('kubelet');
    },
  ],
  [/^another operator leads$/, ({ fleet }) => fleet.restart()],
  [
    /^the clock is put (back|forward) by (\S+)$/,
    ({ fleet }, [way, by = '']) => (fleet.now += (way === 'back' ? -1 : 1) * parseDuration(by)),
  ],
  [/^(\S+) pass(?:es)?$/, ({ teller }, [time = '']) => teller.pass(parseDuration(time))],
  [/^nothing$/, () => undefined],
];

/**
 * Runs a story: a comment, `given` what is there, `when` something happens; under each `when` what was decided by then. Returns the story
 * with what was decided now.
 */
export function tell(text: string): string {
  const stage = new Stage();
  const told: string[] = [];
  for (const line of text.split('\n').filter((l) => !l.startsWith('  ') && l !== 'end')) {
    told.push(line);
    const [, kind, sentence = ''] = /^(given|when) (.+)$/.exec(line) ?? [];
    if (kind === undefined) {
      if (line !== '' && !line.startsWith('#')) throw new Error(`no sentence: ${line}`);
      continue;
    }
    play(stage, sentence);
    if (kind === 'given') continue;
    stage.teller.settle();
    told.push(...stage.teller.take().map((what) => `  ${what}`));
  }
  while (told.at(-1) === '') told.pop();
  return [...told, 'end', ...stage.teller.end().map((what) => `  ${what}`), ''].join('\n');
}

function play(stage: Stage, sentence: string): void {
  for (const [pattern, act] of sentences) {
    const [, ...words] = pattern.exec(sentence) ?? [];
    if (!pattern.test(sentence)) continue;
    act(stage, words);
    return;
  }
  throw new Error(`nobody knows what this means: ${sentence}`);
}

function labelsOf(text: string | undefined): Record<string, string> {
  if (text === undefined || text === 'none') return {};
  return Object.fromEntries(
    text.split(' ').map((pair): [string, string] => {
      const [key = '', value = ''] = pair.split('=');
      return [key, value];
    }),
  );
}

/** `revision runc-2; batches 1 5 50%; ...` */
function specOf(text: string): SetSpec {
  let spec: SetSpec = {};
  for (const part of text.split('; ')) {
    const [key = '', ...words] = part.split(' ');
    const value = words.join(' ');
    const read = fields[key];
    if (read === undefined) throw new Error(`a set has no ${key}`);
    const { rollout, ...rest } = read(value);
    spec = { ...spec, ...rest, rollout: { ...spec.rollout, ...rollout } };
  }
  return spec;
}

const numberOr = (text: string): number | string => (text.endsWith('%') ? text : Number(text));
const rollout = (of: Partial<Rollout>): SetSpec => ({ rollout: of });

const fields: Readonly<Record<string, (value: string) => SetSpec>> = {
  component: (component) => ({ component }),
  revision: (revision) => ({ revision }),
  priority: (priority) => ({ priority: Number(priority) }),
  selector: (labels) => ({ selector: { matchLabels: labelsOf(labels) } }),
  variables: (list) => ({
    variables: Object.entries(labelsOf(list)).map(([name, fromLabel]) => ({
      name,
      fromLabel,
      default: 'none',
    })),
  }),
  removal: (removal) => ({ removal: removal as 'Retain' | 'Remove' }),
  paused: (paused) => ({ paused: paused === 'true' }),
  retryToken: (retryToken) => ({ retryToken }),
  promote: (promote) => ({ promote }),
  batches: (sizes) => rollout({ batches: sizes.split(' ').map(numberOr) }),
  maxUnavailable: (max) => rollout({ maxUnavailable: numberOr(max) }),
  spread: (spread) => rollout({ spread }),
  observation: (observation) => rollout({ observation }),
  deadline: (deadline) => rollout({ deadline }),
  maxFailed: (max) => rollout({ maxFailed: Number(max) }),
  onFailure: (what) => rollout({ onFailure: what as 'Pause' | 'Rollback' }),
  inspections: (list) => rollout({ inspections: list === 'none' ? [] : list.split(', ').map(inspectionOf) }),
  windows: (list) => rollout({ windows: list.split(', ').map(windowOf) }),
};

/** `errors=Prometheus/5m` */
function inspectionOf(text: string): Inspection {
  const [name = '', rest = ''] = text.split('=');
  const [type = '', deadline = '5m'] = rest.split('/');
  return { name, type: type as Inspection['type'], deadline };
}

/** `Mon+Tue 22:00-06:00 Europe/Berlin` or `22:00-06:00` */
function windowOf(text: string): Window {
  const words = text.split(' ');
  const times = words.find((word) => /^\d/.test(word)) ?? '';
  const days = words[0] === times ? undefined : words[0]?.split('+');
  const [from = '', to = ''] = times.split('-');
  const timeZone = words[words.indexOf(times) + 1] ?? 'UTC';
  return { ...(days && { days: days as NonNullable<Window['days']> }), from, to, timeZone };
}
