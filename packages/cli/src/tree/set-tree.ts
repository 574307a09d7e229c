import type { Machine, MachineComponentSet } from '@kubenode/api';
import { findCondition } from '@kubenode/runtime';
import { revisionOf } from '@kubenode/machine';
import { batchOf, haltOf, isThere, machinesOf, type SetMachine, standing } from '../rollout-state.ts';
import { rolloutOf } from '../rollout-plan.ts';
import type { Branch } from './branch.ts';
import { clock } from './clock.ts';

/** Of a batch, so many machines are told of one by one: those that are not there yet first. */
const mostMachines = 12;

/** A set: from which revision to which, the batch under way, its inspections, its machines and where each stands. Pure. */
export function setTree(set: MachineComponentSet, all: readonly Machine[]): Branch {
  const { metadata, spec } = set;
  const { from, to, updated, machines, isDone } = rolloutOf(set);
  const revision = to === '' ? revisionOf(set) : to;
  const way = from === '' || from === revision || isDone ? revision : `${from} → ${revision}`;
  const flags = [
    spec.paused ? 'paused' : '',
    metadata.deletionTimestamp === undefined ? '' : 'being deleted',
  ];
  const head = [`set/${metadata.name}`, way, `${updated}/${machines}`, isDone ? 'Done' : '', ...flags];
  if (isDone) return { text: joined(head) };
  const members = machinesOf(set, all);
  const branches = [
    ...haltBranch(set),
    ...batchBranch(set, batchOf(set, members)),
    ...conditionBranches(set),
    ...leftBranch(machines - updated),
  ];
  return { text: joined(head), branches };
}

function joined(parts: readonly (string | undefined)[]): string {
  return parts.filter((part) => part !== undefined && part !== '').join('  ');
}

function haltBranch(set: MachineComponentSet): Branch[] {
  const halt = haltOf(set);
  if (halt === undefined) return [];
  return [{ text: joined(['stopped', halt.cause, `since ${clock(halt.at)}`, halt.message]) }];
}

function batchBranch(set: MachineComponentSet, members: readonly SetMachine[]): Branch[] {
  const { batch } = set.status ?? {};
  // What has stopped it stands above.
  const reason = haltOf(set) === undefined ? batch?.reason : '';
  if (batch === undefined || batch.number === 0) return [];
  const since = batch.since === undefined ? '' : `since ${clock(batch.since)}`;
  const until = batch.until === undefined ? '' : `until ${clock(batch.until)}`;
  const size = `batch ${batch.number} of ${batch.size === 1 ? '1 machine' : `${batch.size} machines`}`;
  return [
    {
      text: joined([size, batch.state, since, until, reason]),
      branches: [
        ...(batch.inspections ?? []).map(({ name, result, message }) => ({
          text: joined([`inspection ${name}`, result, message]),
        })),
        ...memberBranches(members),
      ],
    },
  ];
}

function memberBranches(members: readonly SetMachine[]): Branch[] {
  const inOrder = members.toSorted((a, b) => Number(isThere(a)) - Number(isThere(b)));
  const width = Math.max(
    0,
    ...inOrder.slice(0, mostMachines).map(({ machine }) => machine.metadata.name.length),
  );
  const told = inOrder.slice(0, mostMachines).map((member): Branch => {
    const { name } = member.machine.metadata;
    const { disruption } = member.machine.status ?? {};
    const leave =
      disruption === undefined ? '' : joined([disruption.kind, disruption.state, disruption.message]);
    const text = joined([name.padEnd(width), standing(member)]);
    return leave === '' ? { text } : { text, branches: [{ text: leave }] };
  });
  const rest = inOrder.slice(mostMachines);
  const ready = rest.filter(isThere).length;
  return rest.length === 0 ? told : [...told, { text: `${rest.length} more, ${ready} of them Ready` }];
}

/** What its conditions say is wrong and the batch does not. */
function conditionBranches({ status, metadata }: MachineComponentSet): Branch[] {
  if ((status?.observedGeneration ?? -1) < (metadata.generation ?? 0))
    return [{ text: 'the operator has not looked at the present spec yet' }];
  const conflict = findCondition(status?.conditions, 'Conflicted');
  const ready = findCondition(status?.conditions, 'Ready');
  if (conflict?.status === 'True') return [{ text: conflict.message }];
  if (status?.batch === undefined && ready !== undefined) return [{ text: ready.message }];
  return [];
}

function leftBranch(left: number): Branch[] {
  if (left <= 0) return [];
  return [
    { text: left === 1 ? '1 machine: its turn has not come' : `${left} machines: their turn has not come` },
  ];
}
