/** npm run soak [-- ROUNDS [SEED]]: imports and installations with agent and operator killed at random moments. Needs root. */
import { missingForHosts } from '@kubenode/lab';
import { soak } from './real/soak.ts';

const [rounds = 100, seed = Math.floor(Math.random() * 2 ** 31)] = process.argv.slice(2).map(Number);
if (!Number.isInteger(rounds) || rounds < 1 || !Number.isInteger(seed)) {
  console.error('Usage: npm run soak [-- ROUNDS [SEED]], both whole numbers.');
  process.exit(2);
}
const lacks = await missingForHosts();
if (lacks.length > 0) {
  console.error(`This machine cannot boot real hosts:\n${lacks.map((lack) => `  ${lack}`).join('\n')}`);
  process.exit(1);
}
console.log(`${rounds} rounds from seed ${seed}`);
const wrong = await soak(rounds, seed, (line) => console.log(line));
console.log(wrong.length === 0 ? 'All rounds ended alike.' : `${wrong.length} rounds ended otherwise.`);
process.exit(wrong.length === 0 ? 0 : 1);
