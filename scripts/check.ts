/** npm run check: types, lint, format, generated files. */
import { checks } from './checks.ts';
import { runSteps } from './run.ts';

process.exit((await runSteps(checks)).length > 0 ? 1 : 0);
