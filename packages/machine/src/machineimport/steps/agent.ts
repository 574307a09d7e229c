import type { Step } from '../deps.ts';
import { installAgent, startAgent } from '../install.ts';

/** The agent's binary, pulled by the host and proven by its digest, and its unit, running. */
export const agent: Step = async (work) => {
  const facts = await work.facts();
  const binary = work.agents[facts.arch];
  if (binary === undefined) throw new Error(`there is no agent for the architecture ${facts.arch}`);
  const host = await work.host();
  const running =
    facts.agent === 'active' &&
    (await host.exec([`${work.paths.current}/kubenode-agent`, 'version'])).exitCode === 0;
  // One that runs may have upgraded itself since: it is not set back.
  const message = running ? 'an agent runs already' : await installAgent(host, work.paths, binary, work.push);
  await startAgent(host, work.paths, facts.systemd);
  return { state: 'Done', message: `${message}; started` };
};
