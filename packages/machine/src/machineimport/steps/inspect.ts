import { Machine, MachineImport } from '../../kinds.ts';
import { importAnnotation, type Step, type Work } from '../deps.ts';
import { objection } from '../inspect.ts';

/** Whether the host can be taken over under that name. Only reads. */
export const inspect: Step = async (work) => {
  const facts = await work.facts();
  const refused =
    objection(facts, work.paths, {
      now: work.now(),
      machine: work.object.spec.machine.name,
      server: work.server.url,
      archs: Object.keys(work.agents),
    }) ?? (await nameObjection(work, facts.machineID));
  if (refused !== undefined) return { state: 'Failed', message: refused };
  const init = facts.systemd
    ? 'systemd'
    : 'no systemd: the built-in supervisor will run components, and the agent has to be started again after a reboot';
  return {
    state: 'Done',
    message: `Linux ${facts.kernel} ${facts.arch}, glibc ${facts.glibc ?? ''}, ${init}`,
  };
};

/** Whether the name of the machine is somebody else's. */
async function nameObjection(work: Work, machineID: string | undefined): Promise<string | undefined> {
  const { object, client, signal } = work;
  const { name } = object.spec.machine;
  const machine = await work.machine();
  if (machine !== undefined && machine.metadata.annotations?.[importAnnotation] !== object.metadata.name) {
    const known = machine.status?.host?.machineID;
    // The same host: it joined by itself, or its MachineImport was deleted and made again.
    if (known !== undefined && known !== machineID) {
      return (
        `${Machine.kind} ${name} exists and is another host (machine ID ${known}); set spec.machine.name of a new ${MachineImport.kind} ` +
        `to a name that is free, or delete that ${Machine.kind}`
      );
    }
  }
  const { items } = await client.list(MachineImport, { signal });
  const earlier = items.find(
    (other) =>
      other.metadata.name !== object.metadata.name &&
      other.spec.machine.name === name &&
      other.spec.state === 'Imported' &&
      isEarlier(other.metadata, object.metadata),
  );
  if (earlier === undefined) return undefined;
  return `${MachineImport.kind} ${earlier.metadata.name} makes a ${Machine.kind} ${name} too, and was there first; delete one of the two`;
}

interface Made {
  readonly name: string;
  readonly creationTimestamp?: string;
}

function isEarlier(a: Made, b: Made): boolean {
  const [first, second] = [a.creationTimestamp ?? '', b.creationTimestamp ?? ''];
  return first === second ? a.name < b.name : first < second;
}
