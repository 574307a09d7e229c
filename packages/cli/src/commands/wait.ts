import {
  type Condition,
  findCondition,
  type KubeObject,
  parseDuration,
  timestamp,
  watchObject,
} from '@kubenode/runtime';
import { Machine } from '@kubenode/machine';
import { type Command, connectionOptions } from '../command.ts';
import { connect } from '../connection.ts';
import { spell, type Target, targets } from '../resources.ts';
import { Screen } from '../screen.ts';

const usual = '10m';

export const wait: Command = {
  name: 'wait',
  summary: 'Wait until something is Ready, saying what it waits for',
  usage: 'NAME | machine/NAME | set/NAME | import/NAME ...',
  help: `
Waits for a condition that is judged on the spec as it is now. A set is Ready when its rollout is done; an import when spec.state is
reached. Ends with 1 when the time is over.

  kubenode wait n17
  kubenode wait set/containerd --timeout 1h
  kubenode wait import/n17 --for Connected`,
  options: {
    ...connectionOptions,
    for: { type: 'string', value: 'CONDITION', help: 'condition that has to be True (default Ready)' },
    timeout: { type: 'string', value: 'DURATION', help: `how long at most (default ${usual})` },
  },
  async run(input, terminal) {
    const wanted = targets(input.positionals, Machine);
    const type = input.text('for') ?? 'Ready';
    const client = await connect(input, terminal);
    const screen = new Screen(terminal.err);
    const late = AbortSignal.timeout(input.duration('timeout') ?? parseDuration(usual));
    const signal = AbortSignal.any([terminal.signal, late]);
    const watched = wanted.map(async (target): Promise<boolean> => {
      let last = `${target.kind.kind} ${target.name} does not exist`;
      for await (const object of watchObject(client, target.kind, target.name, { signal })) {
        const condition = object === undefined ? undefined : current(object, type);
        if (condition?.status === 'True') {
          screen.done(`${spell(target)} is ${type}`);
          return true;
        }
        last = describe(target, object !== undefined, condition, type);
        screen.doing(last);
      }
      if (!terminal.signal.aborted) screen.failed(`${last} (at ${timestamp(Date.now())})`);
      return false;
    });
    try {
      const all = await Promise.all(watched);
      if (terminal.signal.aborted) return 130;
      return all.every(Boolean) ? 0 : 1;
    } finally {
      screen.quiet();
      client.close();
    }
  },
};

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
