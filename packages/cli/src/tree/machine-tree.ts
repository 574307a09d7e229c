import type { Machine, MachineImport } from '@kubenode/api';
import { findCondition } from '@kubenode/runtime';
import { age } from '../table.ts';
import type { Branch } from './branch.ts';

/** A machine with its host, its Node, its import and its components. Pure. @param now epoch milliseconds */
export function machineTree(machine: Machine, from: MachineImport | undefined, now: number): Branch {
  const { metadata, spec, status } = machine;
  const made =
    metadata.creationTimestamp === undefined ? '' : `  ${age(now - Date.parse(metadata.creationTimestamp))}`;
  const head = `${metadata.name}  ${status?.phase ?? 'Pending'}  ${status?.summary ?? ''}${made}`.trimEnd();
  const branches: string[] = [];
  const { host } = status ?? {};
  if (host !== undefined) {
    branches.push(
      [
        'host',
        host.os,
        host.arch,
        host.kernel,
        host.addresses?.[0],
        host.agentVersion && `agent ${host.agentVersion}`,
      ]
        .filter(Boolean)
        .join('  '),
    );
  }
  if (spec.nodeName !== undefined) {
    const ready = findCondition(status?.conditions, 'NodeReady');
    branches.push(
      `node/${spec.nodeName}  ${ready?.status === 'True' ? 'Ready' : 'not Ready'}  ${status?.kubeletVersion ?? ''}`.trimEnd(),
    );
  }
  if (from !== undefined) branches.push(`import/${from.metadata.name}  ${from.status?.phase ?? 'Pending'}`);
  branches.push(...componentLines(machine));
  const leave = status?.disruption;
  if (leave !== undefined)
    branches.push(['disruption', leave.kind, leave.state, leave.message].filter(Boolean).join('  '));
  return { text: head, branches: branches.map((text) => ({ text })) };
}

function componentLines({ spec, status }: Machine): readonly string[] {
  const known = new Map((status?.components ?? []).map((component) => [component.name, component]));
  const entries = new Map((spec.components ?? []).map((entry) => [entry.name, entry]));
  const names = [...new Set([...entries.keys(), ...known.keys()])].sort((a, b) => (a < b ? -1 : 1));
  const width = Math.max(0, ...names.map((name) => name.length));
  return names.map((name) => {
    const entry = entries.get(name);
    const is = known.get(name);
    const wanted =
      entry === undefined
        ? 'not declared any more: left as it is'
        : entry.state === 'Absent'
          ? 'to be removed'
          : entry.revision;
    const way =
      is?.running !== undefined && entry !== undefined && is.running !== entry.revision
        ? `${is.running} → ${wanted}`
        : wanted;
    const wrong = Object.entries(is?.correct ?? {}).flatMap(([what, right]) =>
      right === 'True' ? [] : [`${what} ${right === 'False' ? 'wrong' : 'unknown'}`],
    );
    const why = is?.state === 'Ready' ? '' : (is?.message ?? '');
    const set = entry?.set === undefined ? '' : `(set ${entry.set})`;
    return [name.padEnd(width), (is?.state ?? 'Waiting').padEnd(10), way, set, wrong.join(', '), why]
      .filter((part) => part !== '')
      .join('  ');
  });
}
