/** Waits until all machines are Ready and every set is rolled out, and says what happens meanwhile. */
import type { Screen } from '@kubenode/cli';
import { Machine, MachineComponentSet, MachineImport } from '@kubenode/machine';
import type { Client } from '@kubenode/runtime';

const lookEveryMs = 500;

/** @throws Error with what each machine waits for, after the deadline. */
export async function untilReady(
  client: Client,
  screen: Screen,
  names: readonly string[],
  signal: AbortSignal,
  deadlineMs: number,
): Promise<void> {
  const deadline = Date.now() + deadlineMs;
  const told = new Map<string, string>();
  for (;;) {
    signal.throwIfAborted();
    const states = await Promise.all(names.map((name) => stateOf(client, name)));
    for (const { name, step } of states) {
      if (told.get(name) === step) continue;
      told.set(name, step);
      screen.say(`    ${name}: ${step}`);
    }
    if (states.every((state) => state.ready) && (await rolledOut(client))) return;
    screen.doing(states.map(({ name, summary }) => `${name} ${summary}`).join('   '));
    if (Date.now() > deadline)
      throw new Error(
        `not Ready in ${deadlineMs / 60_000} minutes:\n${states.map(({ name, why }) => `  ${name}: ${why}`).join('\n')}`,
      );
    await new Promise((resolve) => setTimeout(resolve, lookEveryMs));
  }
}

/** A machine may be Ready with the components of the first batches, while later ones have not reached it. */
async function rolledOut(client: Client): Promise<boolean> {
  const { items } = await client.list(MachineComponentSet);
  return items.every(({ status }) =>
    status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True'),
  );
}

interface HostState {
  readonly name: string;
  readonly ready: boolean;
  /** Changes a few times in all: a line each. */
  readonly step: string;
  /** For the line that moves. */
  readonly summary: string;
  readonly why: string;
}

async function stateOf(client: Client, name: string): Promise<HostState> {
  const [machine, record] = await Promise.all([client.get(Machine, name), client.get(MachineImport, name)]);
  const ready = machine?.status?.conditions?.find(({ type }) => type === 'Ready');
  const step = record?.status?.steps?.find(({ state }) => state === 'Running' || state === 'Failed');
  const busy = machine?.status?.components?.find(({ state }) => state !== 'Ready');
  const components = machine?.status?.summary ?? '-';
  const why = step?.message ?? busy?.message ?? ready?.message ?? 'nothing is known of it yet';
  return {
    name,
    // An empty list is not what was asked for.
    ready:
      ready?.status === 'True' &&
      (machine?.spec.components?.length ?? 0) > 0 &&
      (record === undefined || record.status?.phase === 'Imported'),
    step:
      step === undefined
        ? machine === undefined
          ? 'waiting'
          : (machine.status?.phase ?? 'joined')
        : `${step.name}${step.state === 'Failed' ? `: ${step.message ?? 'failed'}` : ''}`,
    summary:
      busy === undefined ? components : `${components} ${busy.name}${busy.step ? ` (${busy.step})` : ''}`,
    why: busy === undefined ? why : `${busy.name}: ${why}`,
  };
}
