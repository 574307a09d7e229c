// A web server of the demo: serves the greeting that its settings hold. `web --probe` asks the one that runs.
import { readFileSync } from 'node:fs';
import { createServer, get } from 'node:http';
import { join } from 'node:path';

const version = 'VERSION';
const settings = JSON.parse(
  readFileSync(join(process.env.KUBENODE_ROOT ?? '/', 'etc/demo/settings.json'), 'utf8'),
);

if (process.argv.includes('--version')) {
  console.log(`web ${version}`);
} else if (process.argv.includes('--probe')) {
  const request = get(
    { host: '127.0.0.1', port: settings.port, path: '/healthz', timeout: 2000 },
    (answer) => {
      answer.resume();
      process.exitCode = answer.statusCode === 200 ? 0 : 1;
    },
  );
  request.on('timeout', () => request.destroy(new Error('no answer in 2 s')));
  request.on('error', (error) => {
    console.error(`web does not answer on port ${settings.port}: ${error.message}`);
    process.exitCode = 1;
  });
} else {
  createServer((request, answer) =>
    answer.end(request.url === '/healthz' ? 'ok\n' : `${settings.greeting}\n`),
  ).listen(settings.port, '127.0.0.1');
}
