import type { Client, Patch } from '@kubenode/runtime';
import { CommandError, type Input, type Terminal } from './command.ts';
import { isJson, printJson } from './output.ts';
import { spell, type Target } from './resources.ts';

/** One field that a command has changed, and what that means: the shape of -o json of all commands that steer. */
export interface Change {
  /** machine/n17 */
  readonly target: string;
  /** spec.paused */
  readonly field: string;
  readonly value: unknown;
  /** For people: what happens now. */
  readonly message: string;
}

export const changesShape =
  '-o json prints [{target, field, value, message}], one for each field that was changed.';

/** Changes one field of spec. @throws CommandError where the object does not exist */
export async function setField(
  client: Client,
  target: Target,
  field: string,
  value: unknown,
  signal: AbortSignal,
): Promise<void> {
  await patch(client, target, { type: 'merge', body: { spec: { [field]: value } } }, signal);
}

/** @throws CommandError where the object does not exist */
export async function patch(
  client: Client,
  target: Target,
  change: Patch,
  signal: AbortSignal,
): Promise<void> {
  if ((await client.get(target.kind, target.name, { signal })) === undefined) {
    throw new CommandError(`there is no ${spell(target)}; kubenode get ${target.kind.plural} lists them`);
  }
  await client.patch(target.kind, target.name, change, { signal });
}

export function tellChanges(changes: readonly Change[], input: Input, terminal: Terminal): void {
  if (isJson(input)) printJson(terminal, changes);
  else for (const { message } of changes) terminal.out.write(`${message}\n`);
}
