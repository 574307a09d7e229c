import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/**
 * Below the ports that Linux gives to connections and to servers that name none (net.ipv4.ip_local_port_range, 32768 to 60999): there one that
 * was free a moment ago is soon another's, and a server of a lab found its port taken.
 */
const range = { first: 20_000, last: 31_999 };
const tries = 100;

/** Ports that nothing listens on at an address, all different. Chosen at random, so that two who ask at the same time get different ones. */
export async function freePorts(address: string, count: number): Promise<number[]> {
  const ports = new Set<number>();
  for (let i = 0; i < tries && ports.size < count; i += 1) {
    const port = randomInt(range.first, range.last + 1);
    if (await isFree(address, port)) ports.add(port);
  }
  if (ports.size < count) throw new Error(`No ${count} free ports could be had at ${address}.`);
  return [...ports];
}

async function isFree(address: string, port: number): Promise<boolean> {
  const server = createServer();
  const listens = await new Promise<boolean>((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, address, () => resolve(true));
  });
  if (listens) await new Promise<void>((resolve) => server.close(() => resolve()));
  return listens;
}
