import type { MachineComponentSet as SetObject } from '@kubenode/api';
import {
  type Condition,
  findCondition,
  type KubeObject,
  parseDuration,
  timestamp,
  watchObject,
} from '@kubenode/runtime';
import { Machine, MachineComponentSet } from '@kubenode/machine';
import { type Command, connectionOptions, UsageError } from '../command.ts';
import { connect } from '../connection.ts';
import { isJson, outputOption, printJson } from '../output.ts';
import { spell, type Target, targets } from '../resources.ts';
import { haltOf } from '../rollout-state.ts';
import { Screen } from '../screen.ts';

const usual = '10m';

export const wait: Command = {
  name: 'wait',
  summary: 'Wait until something is Ready, saying what it waits for',
  usage: 'NAME | machine/NAME | set/NAME | import/NAME ...',
  help: `
Waits for a condition that is judged on the spec as it is now. A set is Ready when its rollout is done; an import when spec.state is
reached. Ends with 0 when all of them are, with 1 when the time is over, and at once with 1 when a failure has stopped the rollout of a
set: then nothing happens until a person acts. -o json prints [{target, condition, wanted, isMet, message}] at the end.

  kubenode wait n17
  kubenode wait set/containerd --timeout 1h
  kubenode wait set/containerd --for Degraded=False
  kubenode wait import/n17 --for Connected`,
  options: {
    ...connectionOptions,
    for: {
      type: 'string',
      value: 'CONDITION',
      help: 'TYPE, or TYPE=True|False|Unknown (default Ready=True)',
    },
    timeout: { type: 'string', value: 'DURATION', help: `how long at most (default ${usual})` },
    ...outputOption,
  },
  async run(input, terminal) {
    const json = isJson(input);
    const wanted = targets(input.positionals, Machine);
    const goal = parseGoal(input.text('for') ?? 'Ready');
    const late = AbortSignal.timeout(input.duration('timeout') ?? parseDuration(usual));
    const client = await connect(input, terminal);
    const screen = new Screen(terminal.err);
    const signal = AbortSignal.any([terminal.signal, late]);
    const watched = wanted.map(async (target): Promise<Waited> => {
      const result = (isMet: boolean, message: string): Waited => ({
        target: spell(target),
        condition: goal.type,
        wanted: goal.status,
        isMet,
        message,
      });
      let last = `${spell(target)} does not exist`;
      for await (const object of watchObject(client, target.kind, target.name, { signal })) {
        const condition = object === undefined ? undefined : current(object, goal.type);
        if (condition?.status === goal.status) {
          const met = `${spell(target)} is ${goal.status === 'True' ? goal.type : `${goal.type}=${goal.status}`}`;
          screen.done(met);
          return result(true, met);
        }
        const halt = object === undefined ? undefined : haltText(target, object, goal);
        if (halt !== undefined) {
          screen.failed(halt);
          return result(false, halt);
        }
        last = describe(target, object !== undefined, condition, goal.type);
        screen.doing(last);
      }
      if (!terminal.signal.aborted) screen.failed(`the time is over; ${last} (at ${timestamp(Date.now())})`);
      return result(false, last);
    });
    try {
      const all = await Promise.all(watched);
      if (terminal.signal.aborted) return 130;
      if (json) printJson(terminal, all);
      return all.every(({ isMet }) => isMet) ? 0 : 1;
    } finally {
      screen.quiet();
      client.close();
    }
  },
};

interface Waited {
  readonly target: string;
  readonly condition: string;
  readonly wanted: string;
  readonly isMet: boolean;
  readonly message: string;
}

interface Goal {
  readonly type: string;
  readonly status: string;
}

/** `Ready`, `Ready=True`, and as kubectl has it `condition=Ready`. */
function parseGoal(text: string): Goal {
  const [type = '', status = 'True', ...rest] = text.replace(/^condition=/, '').split('=');
  const found = ['True', 'False', 'Unknown'].find((one) => one.toLowerCase() === status.toLowerCase());
  if (type === '' || found === undefined || rest.length > 0)
    throw new UsageError(`--for: "${text}" is neither TYPE nor TYPE=True, TYPE=False or TYPE=Unknown`);
  return { type, status: found };
}

/** Why it makes no sense to wait any longer. */
function haltText(target: Target, object: KubeObject, goal: Goal): string | undefined {
  if (target.kind !== MachineComponentSet || goal.type !== 'Ready' || goal.status !== 'True')
    return undefined;
  const halt = haltOf(object as SetObject);
  if (halt === undefined) return undefined;
  return `${spell(target)} is stopped in batch ${halt.batch} (${halt.cause}): ${halt.message}; kubenode why ${spell(target)} says what to do`;
}

function describe(target: Target, exists: boolean, condition: Condition | undefined, type: string): string {
  const what = spell(target);
  if (!exists) return `${what} does not exist yet`;
  if (condition === undefined) return `${what}: ${type} is not judged yet on its present spec`;
  return `${what}: ${condition.message === '' ? `${type} is ${condition.status} (${condition.reason})` : condition.message}`;
}

/** The condition, where it was judged on the present spec. */
function current(object: KubeObject, type: string): Condition | undefined {
  const { status, metadata } = object as KubeObject & {
    status?: { conditions?: Condition[]; observedGeneration?: number };
  };
  const condition = findCondition(status?.conditions, type);
  const judgedOn = condition?.observedGeneration ?? status?.observedGeneration;
  return judgedOn === undefined || judgedOn >= (metadata.generation ?? 0) ? condition : undefined;
}
