// A file server as a process of its own, for a lab that stays up after the command that made it has ended:
// serve.ts DIR ADDRESS PORT
import { startFileServer } from './file-server.ts';

const [dir, address, port] = process.argv.slice(2);
if (dir === undefined || address === undefined || port === undefined)
  throw new Error('Usage: serve.ts DIR ADDRESS PORT');
const server = await startFileServer({ dir, address, port: Number(port) });
console.log(`Serving ${dir} at ${server.url}`);
