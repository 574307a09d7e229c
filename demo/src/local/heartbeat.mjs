// A daemon of the demo without a network: writes the time into a file each second. `heartbeat --probe` asks whether it does.
import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const version = 'VERSION';
const file = join(process.env.KUBENODE_ROOT ?? '/', 'run/demo/heartbeat');

if (process.argv.includes('--version')) {
  console.log(`heartbeat ${version}`);
} else if (process.argv.includes('--probe')) {
  const age = Date.now() - statSync(file).mtimeMs;
  if (age > 5000) {
    console.error(`the last beat was ${Math.round(age / 1000)} s ago`);
    process.exitCode = 1;
  }
} else {
  mkdirSync(dirname(file), { recursive: true });
  const beat = () => writeFileSync(file, `${new Date().toISOString()}\n`);
  beat();
  setInterval(beat, 1000);
}
