/** Why a machine is not where it should be, and what happens next, and when: a pure function of what the API knows. */
import { agentUnreachable, type Machine, type MachineComponentSet } from '@kubenode/api';
import { findCondition } from '@kubenode/runtime';
import { matches } from '@kubenode/machine';
import { componentFindings } from './components.ts';
import { disruptionFindings } from './disruption.ts';
import { recentWarnings } from './events.ts';
import type { Explanation, Finding, Known } from './finding.ts';

export function explain(known: Known): Explanation {
  const findings = [
    ...importFindings(known),
    ...(known.machine === undefined ? [] : machineFindings(known.machine, known)),
  ];
  if (known.machine === undefined && known.import === undefined) {
    findings.push({
      what: `machine ${known.name}`,
      why: 'there is no Machine and no MachineImport of that name',
      next: 'nothing',
      help: `kubenode get lists what there is; kubenode import USER@HOST --name ${known.name} brings a host in`,
    });
  }
  const isWell = findings.length === 0;
  const events = recentWarnings(known.events, known.now);
  return { machine: known.name, isWell, summary: summaryOf(known, findings), findings, events };
}

function summaryOf({ name, machine }: Known, findings: readonly Finding[]): string {
  if (findings.length === 0) {
    const parts = machine?.status?.summary;
    return `Machine ${name} is where it should be${parts === undefined ? '' : `: ${parts} components are Ready`}.`;
  }
  const phase = machine?.status?.phase;
  const count = findings.length === 1 ? 'one thing is' : `${findings.length} things are`;
  return `Machine ${name}${phase === undefined ? '' : ` (${phase})`} is not where it should be; ${count} in the way.`;
}

function importFindings({ import: found, now }: Known): Finding[] {
  if (found === undefined) return [];
  const { metadata, spec, status } = found;
  const what = `import ${metadata.name}`;
  const ready = findCondition(status?.conditions, 'Ready');
  const isCurrent = (status?.observedGeneration ?? -1) >= (metadata.generation ?? 0);
  if (!isCurrent) {
    const since = metadata.creationTimestamp;
    return [
      {
        what,
        why: 'the operator has not taken notice of its present spec',
        ...(since === undefined ? {} : { since }),
        next: 'it begins as soon as an operator runs that knows where agents are',
        help: 'kubenode operator --agent ...',
      },
    ];
  }
  if (ready?.status === 'True') {
    if (spec.state !== 'Planned') return [];
    return [
      {
        what,
        why: 'spec.state is Planned: nothing is changed on the host',
        next: 'nothing',
        help: `kubenode plan import/${metadata.name}, then set spec.state to Imported`,
      },
    ];
  }
  return (status?.steps ?? [])
    .filter(({ state }) => state === 'Failed' || state === 'Running')
    .map((step) => ({
      what: `${what}, step ${step.name}`,
      why: withoutRetry(step.message ?? step.state),
      ...(step.since === undefined ? {} : { since: step.since }),
      ...nextTry(step.message ?? '', now),
      ...(step.state === 'Failed'
        ? { help: `mend it; kubenode retry import/${metadata.name} tries at once` }
        : {}),
    }));
}

const retryText = /\. Tried again at (\S+)$/;

function withoutRetry(message: string): string {
  return message.replace(retryText, '');
}

function nextTry(message: string, now: number): Pick<Finding, 'next' | 'at'> {
  const at = retryText.exec(message)?.[1];
  if (at === undefined) return { next: 'it goes on as soon as that has happened' };
  return Date.parse(at) <= now ? { next: 'it is tried again now' } : { next: 'it is tried again', at };
}

function machineFindings(machine: Machine, known: Known): Finding[] {
  const { metadata, spec, status } = machine;
  const conditions = status?.conditions;
  const ready = findCondition(conditions, 'Ready');
  const deleting = findCondition(conditions, 'Deleting');
  if (metadata.deletionTimestamp !== undefined) {
    const why = deleting?.message || 'it is being deleted';
    return [
      {
        what: `machine ${known.name}`,
        why,
        since: metadata.deletionTimestamp,
        next: 'it goes when that is done',
      },
    ];
  }
  const findings: Finding[] = [];
  if (spec.paused) {
    findings.push({
      what: `machine ${known.name}`,
      why: 'spec.paused is true: the controllers leave it alone',
      next: 'nothing, until it is resumed; its agent goes on repairing what it runs',
      help: `kubenode resume machine/${known.name}`,
    });
  }
  const agent = agentFinding(machine);
  if (agent !== undefined) findings.push(agent);
  findings.push(
    ...componentFindings(
      machine,
      known.sets.filter((set) => selects(set, machine)),
      known.now,
    ),
  );
  findings.push(...disruptionFindings(machine, known.budget));
  const node = nodeFinding(machine);
  if (node !== undefined) findings.push(node);
  if (findings.length === 0 && ready !== undefined && ready.status !== 'True') {
    findings.push({
      what: `machine ${known.name}`,
      why: ready.message || ready.reason,
      since: ready.lastTransitionTime,
      next: 'it is looked at again as soon as something changes',
    });
  }
  return findings;
}

function selects(set: MachineComponentSet, machine: Machine): boolean {
  return (
    set.metadata.deletionTimestamp === undefined && matches(set.spec.selector, machine.metadata.labels ?? {})
  );
}

function agentFinding({ metadata, status }: Machine): Finding | undefined {
  const agent = findCondition(status?.conditions, 'AgentReady');
  const ready = findCondition(status?.conditions, 'Ready');
  const what = 'agent';
  if (agent === undefined) {
    return {
      what,
      why: 'it has not reported yet',
      ...(metadata.creationTimestamp === undefined ? {} : { since: metadata.creationTimestamp }),
      next: 'components are brought as soon as it reports',
      help: 'kubectl get csr shows whether it asked for its identity; on the host: journalctl -u kubenode-agent',
    };
  }
  if (ready?.reason === agentUnreachable) {
    return {
      what,
      why: ready.message,
      since: ready.lastTransitionTime,
      next: 'it goes on by itself as soon as the host is back',
      help: 'is the host up, and does it reach the API server? On the host: journalctl -u kubenode-agent',
    };
  }
  if (agent.status === 'True') return undefined;
  return {
    what,
    why: agent.message || agent.reason,
    since: agent.lastTransitionTime,
    next: 'components are held as they are until it reports',
  };
}

function nodeFinding({ spec, status }: Machine): Finding | undefined {
  if (spec.nodeName === undefined) return undefined;
  const node = findCondition(status?.conditions, 'NodeReady');
  if (node?.status === 'True') return undefined;
  return {
    what: `node ${spec.nodeName}`,
    why: node?.message || 'it is not judged yet',
    ...(node === undefined ? {} : { since: node.lastTransitionTime }),
    next: 'labels and taints are put on it when it is there; components do not wait for it',
    help: `kubectl describe node ${spec.nodeName}`,
  };
}
