import { Machine } from '../../kinds.ts';
import { importAnnotation, type Step } from '../deps.ts';
import { deleteToken } from '../token.ts';
import { importTokenId } from './identity.ts';

const againMs = 2_000;

/** Deletes the Machine, which no longer touches the host, and the tokens. */
export const removeMachine: Step = async (work) => {
  const { object, client, signal } = work;
  const { name } = object.spec.machine;
  for (const purpose of ['agent', 'kubelet'] as const) {
    await deleteToken(client, importTokenId(object.metadata.uid ?? '', purpose), signal);
  }
  const machine = await work.machine();
  if (machine === undefined) return { state: 'Done', message: `Machine ${name} is gone` };
  const owner = machine.metadata.annotations?.[importAnnotation];
  if (owner !== undefined && owner !== object.metadata.name) {
    return { state: 'Done', message: `Machine ${name} belongs to MachineImport ${owner} now and stays` };
  }
  if (machine.metadata.deletionTimestamp === undefined) {
    // The host is clean already, and nobody is there any more who could clean it.
    if (machine.spec.deletionPolicy !== 'Retain') {
      await client.patch(
        Machine,
        name,
        { type: 'merge', body: { spec: { deletionPolicy: 'Retain' } } },
        { signal },
      );
    }
    await client.delete(Machine, name, {
      signal,
      ...(machine.metadata.uid === undefined ? {} : { uid: machine.metadata.uid }),
    });
  }
  return { state: 'Waiting', message: `Machine ${name} is being deleted`, againMs };
};
