import { buildAgent } from './sea.ts';

const agent = await buildAgent({ progress: (line) => process.stderr.write(`${line}\n`) });
process.stdout.write(`${JSON.stringify(agent)}\n`);
