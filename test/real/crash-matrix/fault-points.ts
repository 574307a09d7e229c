import { appendFileSync, existsSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { steps } from '../../../packages/agent/src/execute/steps.ts';
import { stepNames } from '../../../packages/agent/src/plan/operation.ts';
import {
  type Fault,
  type FaultPoint,
  faultFile,
  faultFolder,
  heldFile,
  isSamePoint,
  traceFile,
} from './faults.ts';

const at = (name: string): string => `${faultFolder}/${name}`;

async function come(point: FaultPoint): Promise<void> {
  appendFileSync(at(traceFile), `${JSON.stringify(point)}\n`);
  if (!existsSync(at(faultFile))) return;
  const fault = JSON.parse(readFileSync(at(faultFile), 'utf8')) as Fault;
  if (!isSamePoint(fault, point)) return;
  unlinkSync(at(faultFile));
  if (fault.effect === 'kill') process.kill(process.pid, 'SIGKILL');
  else writeFileSync(at(heldFile), '');
  await new Promise(() => undefined);
}

// Every step that there is, also one that this was not written for.
for (const step of stepNames) {
  const does = steps[step];
  const withFaults: typeof does = async (operation, context, signal) => {
    const { kind, goal } = operation;
    const place = { component: goal.component, kind, step };
    await come({ when: 'before', ...place });
    const found = await does(operation, context, signal);
    await come({ when: 'after', ...place });
    return found;
  };
  Object.assign(steps, { [step]: withFaults });
}
