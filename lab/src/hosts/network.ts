import { existsSync } from 'node:fs';
import { run, tryRun } from '../system/run.ts';
import { forwarding, raise, restoreSettings } from './settings.ts';
import { bridgeName, type LabState, registeredLabs } from './state.ts';

interface InterfaceAddresses {
  addr_info: Array<{ local?: string }>;
}

/**
 * A network (`10.214.N`, /24) that no interface of this machine is in and no noted lab has. Called under the lock of the registry.
 * @throws Error where all 256 are taken.
 */
export async function freeNetwork(): Promise<string> {
  const interfaces = JSON.parse(await run(['ip', '-json', 'address'])) as InterfaceAddresses[];
  const taken = new Set<string>();
  for (const { addr_info } of interfaces)
    for (const { local } of addr_info)
      if (local !== undefined) taken.add(local.split('.').slice(0, 3).join('.'));
  for (const { network } of (await registeredLabs()).values()) taken.add(network);
  for (let n = 0; n < 256; n++) if (!taken.has(`10.214.${n}`)) return `10.214.${n}`;
  throw new Error('No free network in 10.214.0.0/16: take other labs down first (npm run lab -- down).');
}

/** Makes a lab's bridge, and the way out where the lab has one. What is there already is left as it is. */
export async function setUpNetwork(state: LabState): Promise<void> {
  const bridge = bridgeName(state.id);
  if (!existsSync(`/sys/class/net/${bridge}`)) await run(['ip', 'link', 'add', bridge, 'type', 'bridge']);
  await run(['ip', 'address', 'replace', `${state.network}.1/24`, 'dev', bridge]);
  await run(['ip', 'link', 'set', bridge, 'up']);
  if (!state.outbound) return;
  await raise(forwarding, 1);
  const rule = masquerade(state);
  if ((await tryRun(['iptables', '-t', 'nat', '-C', ...rule])).code !== 0)
    await run(['iptables', '-t', 'nat', '-A', ...rule]);
}

/**
 * Takes a lab's bridge and rule away; the last lab puts the machine's settings back to what they were. Called under the lock of the
 * registry, before the lab's own note is taken away.
 */
export async function tearDownNetwork(state: LabState): Promise<void> {
  const bridge = bridgeName(state.id);
  if (existsSync(`/sys/class/net/${bridge}`)) await run(['ip', 'link', 'delete', bridge]);
  if (state.outbound)
    while ((await tryRun(['iptables', '-t', 'nat', '-D', ...masquerade(state)])).code === 0);
  // Another lab than this one may have been the last that needed it.
  const others = [...(await registeredLabs()).keys()].filter((id) => id !== state.id);
  if (others.length === 0) await restoreSettings();
}

function masquerade(state: LabState): string[] {
  const network = `${state.network}.0/24`;
  const comment = ['-m', 'comment', '--comment', bridgeName(state.id)];
  return ['POSTROUTING', '-s', network, '!', '-d', network, ...comment, '-j', 'MASQUERADE'];
}
