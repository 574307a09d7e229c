import type { Step } from '../deps.ts';
import { removeAgent, stopAgent } from '../install.ts';

/** Takes the agent, its identity and its state off the host. */
export const removeAgentStep: Step = async (work) => {
  const { systemd } = await work.facts();
  const host = await work.host();
  await stopAgent(host, work.paths, systemd);
  const left = work.found.notReverted ?? work.object.status?.notReverted ?? [];
  await removeAgent(host, work.paths, { systemd, keepOriginals: left.length > 0 });
  return { state: 'Done', message: 'the agent, its identity and its state are gone from the host' };
};
