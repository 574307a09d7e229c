import type { Machine, PlannedChange } from '@kubenode/api';
import { firstLine } from '../../ssh/index.ts';
import { desiredOf } from '../desired.ts';
import type { Step, Work } from '../deps.ts';
import { agentFolder } from '../host.ts';
import { bringBinary } from '../install.ts';
import { removeScratchScript, scratchScript } from '../scripts.ts';

/** KiB: the agent's binary (117 MB), and room to breathe. */
const scratchKiB = 160 * 1024;
/** It hashes what stands where components would go; a host full of large files takes a while. */
const planTimeoutMs = 300_000;
/** 512 changes of up to 2 KB. */
const planBytes = 2 * 1024 * 1024;
/** As many as status.plan takes. */
const longestPlan = 512;

/** Lists what an import would change, by the agent itself, which runs from memory and leaves nothing behind. */
export const planChanges: Step = async (work) => {
  const { object, client, signal } = work;
  const machine = await hypothetical(work);
  const desired = await desiredOf(client, machine, work.now(), signal);
  const request = {
    machine: { ...machine, spec: { ...machine.spec, components: desired.components } },
    revisions: desired.revisions,
  };
  const changes = await withAgent(
    work,
    `kubenode-plan-${object.metadata.uid ?? object.metadata.name}`,
    async (agent) => {
      const host = await work.host();
      const result = await host.exec([agent, 'plan'], {
        stdin: JSON.stringify(request),
        timeoutMs: planTimeoutMs,
        keepBytes: planBytes,
      });
      if (result.exitCode !== 0) {
        throw new Error(
          `the agent could not plan on the host${firstLine(result.stderr, ': ') || ` (exit status ${result.exitCode})`}`,
        );
      }
      return JSON.parse(result.stdout) as PlannedChange[];
    },
  );
  work.found.plan = changes.slice(0, longestPlan);
  const count = desired.components.length;
  const cut = changes.length > longestPlan ? `, the first ${longestPlan} listed` : '';
  const last = changes.filter(({ revertible }) => !revertible).length;
  return {
    state: 'Done',
    message:
      changes.length === 0
        ? `${count} components belong on the host, and all of them are right already`
        : `${count} components belong on the host; ${changes.length} changes${cut}, ${last} of them could not be reverted`,
  };
};

/** The Machine as it is, or as the import would make it. */
async function hypothetical(work: Work): Promise<Machine> {
  const { name, labels, nodeName, node } = work.object.spec.machine;
  const existing = await work.machine();
  if (existing !== undefined) return existing;
  return {
    apiVersion: 'kubenode.io/v1alpha1',
    kind: 'Machine',
    metadata: { name, labels: { ...labels } },
    spec: {
      deletionPolicy: 'Retain',
      paused: false,
      ...(nodeName === undefined ? {} : { nodeName }),
      ...(node === undefined ? {} : { node }),
    },
  };
}

/** Gives the path of an agent on the host: the installed one, or one in memory that is gone afterwards. */
async function withAgent<T>(work: Work, name: string, use: (agent: string) => Promise<T>): Promise<T> {
  const { arch } = await work.facts();
  const binary = work.agents[arch];
  if (binary === undefined) throw new Error(`there is no agent for ${arch}`);
  const host = await work.host();
  const installed = `${agentFolder(work.paths, binary.digest)}/kubenode-agent`;
  if ((await host.exec(['test', '-x', installed])).exitCode === 0) return use(installed);

  const made = await host.exec(['/bin/sh', '-c', scratchScript, 'sh', String(scratchKiB), name]);
  if (made.exitCode !== 0) throw new Error(`no place for the agent on the host: ${firstLine(made.stderr)}`);
  const folder = made.stdout.trim();
  try {
    await bringBinary(host, binary, `${folder}/kubenode-agent`, work.push);
    return await use(`${folder}/kubenode-agent`);
  } finally {
    // Where the connection broke this fails too; the next try uses, and removes, the folder of the same name.
    await host.exec(['/bin/sh', '-c', removeScratchScript, 'sh', name]).catch(() => undefined);
  }
}
