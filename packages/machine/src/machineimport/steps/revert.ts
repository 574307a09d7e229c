import type { NotReverted } from '@kubenode/api';
import { firstLine, type SshSession } from '../../ssh/index.ts';
import type { Step, Work } from '../deps.ts';
import { agentFolder } from '../host.ts';
import { bringBinary, stopAgent } from '../install.ts';

const revertTimeoutMs = 600_000;
/** As many as status.notReverted takes. */
const longestList = 256;

/** Stops the agent and puts back what was on the host before it, as far as nobody changed it since. */
export const revert: Step = async (work) => {
  const { paths } = work;
  const facts = await work.facts();
  const { machine } = facts.config ?? {};
  const { name } = work.object.spec.machine;
  if (machine !== undefined && machine !== name) {
    return {
      state: 'Failed',
      message: `the host is Machine ${machine} and not ${name} (/etc/kubenode/agent.json); correct spec.ssh.address, or revert the import of ${machine}`,
    };
  }
  const host = await work.host();
  const hasState = (await host.exec(['test', '-d', paths.state])).exitCode === 0;
  if (machine === undefined || !hasState) {
    work.found.notReverted = work.object.status?.notReverted ?? [];
    return { state: 'Done', message: 'KubeNode brought nothing to this host' };
  }
  await stopAgent(host, paths, facts.systemd);
  const agent = await agentOn(work, host, facts.arch);
  const result = await host.exec([agent, 'revert', '--config', paths.config], {
    timeoutMs: revertTimeoutMs,
    keepBytes: 1024 * 1024,
  });
  if (result.exitCode !== 0) {
    throw new Error(
      `the agent could not put back what was${lastLine(result.stderr) || ` (exit status ${result.exitCode})`}`,
    );
  }
  const left = (JSON.parse(result.stdout) as NotReverted[]).slice(0, longestList - 1);
  if (left.length > 0) {
    const reason =
      'copies of what was there before, for what could not be put back; remove it when you need them no more';
    left.push({ target: `${paths.state}/originals`, reason });
  }
  work.found.notReverted = left;
  return {
    state: 'Done',
    message:
      left.length === 0
        ? 'everything is as it was'
        : `${left.length - 1} things could not be put back; status.notReverted lists them`,
  };
};

/** The installed agent; where somebody removed it, brought again. */
async function agentOn(work: Work, host: SshSession, arch: string): Promise<string> {
  const installed = `${work.paths.current}/kubenode-agent`;
  if ((await host.exec(['test', '-x', installed])).exitCode === 0) return installed;
  const binary = work.agents[arch];
  if (binary === undefined)
    throw new Error(`the host has no agent any more, and there is none for its architecture ${arch}`);
  const path = `${agentFolder(work.paths, binary.digest)}/kubenode-agent`;
  await bringBinary(host, binary, path, work.push);
  return path;
}

function lastLine(text: string): string {
  return firstLine(text.trim().split('\n').at(-1) ?? '', ': ');
}
