#!/usr/bin/env node
// Starts the program on the pinned runtime, through the launcher that everything here starts with. As `kubectl-kubenode` in the
// PATH it is the kubectl plugin `kubectl kubenode`.
process.argv.splice(2, 0, 'packages/cli/src/main.ts');
await import('../../../scripts/launch.mjs');
