// The embedded control plane as a process of its own, for a lab that stays up after the command that made it has ended:
// serve.ts DATA_DIR ADDRESS KUBECONFIG
import { rename, writeFile } from 'node:fs/promises';
import { startApiServer } from '@kubenode/standalone';

const [dataDir, address, kubeconfig] = process.argv.slice(2);
if (dataDir === undefined || address === undefined || kubeconfig === undefined)
  throw new Error('Usage: serve.ts DATA_DIR ADDRESS KUBECONFIG');
const server = await startApiServer({ dataDir, host: address });
process.on('SIGTERM', () => {
  server.stop().then(
    () => process.exit(0),
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
});
// Whoever started this waits for the file: it is there whole or not at all.
await writeFile(`${kubeconfig}.tmp`, server.kubeconfig, { mode: 0o600 });
await rename(`${kubeconfig}.tmp`, kubeconfig);
