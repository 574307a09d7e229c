import { posix } from 'node:path';
import { agentBinaryFolder, agentUnit, type AgentConfig, configFolder } from '../config.ts';
import { pkiFolder } from '../identity/keys.ts';
import type { Host, HostFiles } from '../ports.ts';
import { disarm } from '../selfupgrade/guard.ts';

/** In memory, so that it is gone with the next boot; there while the agent takes itself off the host. */
const marker = '/run/kubenode/leaving';
const ownUnitFile = `/etc/systemd/system/${agentUnit}`;
const leftovers = ['/run/kubenode-agent.pid', '/var/log/kubenode-agent.log'];
/** What a person has put on the host about artifact sources is not ours to take away. */
const notOurs = 'sources.json';
/** For systemd to take the order; it needs milliseconds. */
const stopTimeoutMs = 1_000;

/**
 * From here on the agent leaves, also if it is killed. The token goes first: with it there, a restarted agent would join anew, and a marker
 * beside a token is one that a new import came after.
 */
export async function beginLeaving(files: HostFiles, config: AgentConfig): Promise<void> {
  if (config.bootstrapTokenFile !== undefined) await files.remove(config.bootstrapTokenFile);
  await files.write(marker, '', { mode: 0o600 });
}

/** Whether an agent before this one was told to leave and did not come to the end of it. */
export async function isLeaving(files: HostFiles, { bootstrapTokenFile }: AgentConfig): Promise<boolean> {
  if ((await files.state(marker)) === undefined) return false;
  return bootstrapTokenFile === undefined || (await files.state(bootstrapTokenFile)) === undefined;
}

/**
 * Takes the agent off the host: identity, state, unit, configuration, binary. The copies of what was there before KubeNode stay where a
 * component still needs them. Where systemd runs it ends this process too: call it last.
 */
export async function leaveHost(host: Host, config: AgentConfig): Promise<void> {
  const { files, services } = host;
  await files.remove(pkiFolder);
  const originals = await files.list(`${config.stateDir}/originals`);
  if (originals.length === 0) await files.remove(config.stateDir);
  else await removeAllBut('originals', config.stateDir, files);
  if (services.kind === 'systemd') {
    await disarm(host, config.stateDir);
    await services.disable(agentUnit);
    await files.remove(ownUnitFile);
    await services.daemonReload();
  }
  // A marker left behind would make the agent of a later import leave; without a unit nobody starts this one again.
  await files.remove(marker);
  await removeAllBut(notOurs, configFolder, files);
  await files.remove(agentBinaryFolder);
  const above = posix.dirname(agentBinaryFolder);
  if ((await files.list(above)).length === 0) await files.remove(above);
  for (const path of leftovers) await files.remove(path);
  // Restart=always brings back whoever merely exits. The stop cannot be seen to end, since it ends this process.
  if (services.kind === 'systemd') await services.stop(agentUnit, stopTimeoutMs).catch(() => undefined);
}

async function removeAllBut(kept: string, folder: string, files: HostFiles): Promise<void> {
  const names = await files.list(folder);
  for (const name of names) if (name !== kept) await files.remove(`${folder}/${name}`);
  if (!names.includes(kept)) await files.remove(folder);
}
