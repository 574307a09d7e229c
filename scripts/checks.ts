/** What is checked without running anything of ours. */
import { type Step, tool } from './run.ts';

export const checks: readonly Step[] = [
  {
    name: 'generated files are fresh',
    command: process.execPath,
    args: ['packages/api/generate/main.ts', '--check'],
  },
  { name: 'types', command: tool('tsc'), args: ['-p', '.'] },
  { name: 'lint, and who imports whom', command: tool('oxlint'), args: ['--type-aware'] },
  { name: 'format', command: tool('biome'), args: ['format', '.'] },
];
