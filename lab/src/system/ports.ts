import { createServer } from 'node:net';

/** Ports that nothing listens on at an address, all different. Something else may take one before it is used: start at once. */
export async function freePorts(address: string, count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  const ports: number[] = [];
  for (const server of servers) {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(0, address, resolve);
    });
    const bound = server.address();
    if (bound === null || typeof bound === 'string') throw new Error(`No port could be had at ${address}.`);
    ports.push(bound.port);
  }
  for (const server of servers) await new Promise<void>((resolve) => server.close(() => resolve()));
  return ports;
}
