import type { ImportStep, MachineImport as ImportObject } from '@kubenode/api';
import { MachineImport } from '@kubenode/machine';
import { type Client, findCondition, watchObject } from '@kubenode/runtime';
import type { Screen } from './screen.ts';

export interface FollowOptions {
  readonly screen: Screen;
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
}

export interface Followed {
  readonly object: ImportObject | undefined;
  readonly isDone: boolean;
}

/** An operator takes notice within moments; where nothing happens for so long there is none. */
const noticeMs = 10_000;
/** Failures that only a person can mend; others may pass, and are watched for a while. */
const forPeople: ReadonlySet<string> = new Set(['Connect', 'Inspect']);
const patience = 3;

/** Shows an import's steps as they are done, until it is, or until it is clear that it will not be by itself. */
export async function followImport(client: Client, name: string, options: FollowOptions): Promise<Followed> {
  const { screen } = options;
  const signal = AbortSignal.any([options.signal, AbortSignal.timeout(options.timeoutMs)]);
  const shown = new Map<string, string>();
  let object: ImportObject | undefined;
  screen.doing('waits for the operator', true);
  const hint = setTimeout(
    () =>
      screen.say(
        '  Nothing has happened yet: does the operator run, and was it told where agents are (kubenode operator --agent ...)?',
      ),
    noticeMs,
  );
  try {
    for await (const now of watchObject(client, MachineImport, name, { signal })) {
      if (now === undefined) {
        screen.failed(`MachineImport ${name} was deleted; nothing was changed on the host by that`);
        return { object, isDone: false };
      }
      object = now;
      if (now.status?.observedGeneration !== now.metadata.generation) continue;
      clearTimeout(hint);
      showSteps(now, shown, screen);
      const ready = findCondition(now.status?.conditions, 'Ready');
      if (ready?.status === 'True') return { object, isDone: true };
      if (isHopeless(now)) {
        screen.say(`The operator keeps trying. Mend it, then: kubenode retry import/${name}`);
        return { object, isDone: false };
      }
    }
    if (!options.signal.aborted)
      screen.failed(`not done in time; the operator goes on: kubenode wait import/${name}`);
    return { object, isDone: false };
  } finally {
    clearTimeout(hint);
    screen.quiet();
  }
}

function isHopeless({ status }: ImportObject): boolean {
  const failed = status?.steps?.find(({ state }) => state === 'Failed');
  return failed !== undefined && (forPeople.has(failed.name) || (failed.attempts ?? 1) >= patience);
}

function showSteps({ status }: ImportObject, shown: Map<string, string>, screen: Screen): void {
  let open: ImportStep | undefined;
  for (const step of status?.steps ?? []) {
    if (step.state === 'Running') open ??= step;
    const text = `${step.state} ${step.state === 'Waiting' || step.state === 'Running' ? '' : (step.message ?? '')}`;
    if (shown.get(step.name) === text) continue;
    shown.set(step.name, text);
    const line = `${step.name.padEnd(13)} ${step.message ?? ''}`;
    if (step.state === 'Done') screen.done(line);
    if (step.state === 'Failed') screen.failed(line);
  }
  if (open !== undefined)
    screen.doing(`${open.name.padEnd(13)} ${open.message ?? '…'}`, open.message === undefined);
}
