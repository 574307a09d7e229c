import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { systemNamespace } from '@kubenode/api';
import {
  type Client,
  leaderElection,
  type Logger,
  type Manager,
  manager,
  type Registry,
  recorder,
} from '@kubenode/runtime';
import { assigner } from './assigner/controller.ts';
import { budgetController } from './budget/controller.ts';
import { makeCaches } from './caches.ts';
import { certificateController } from './certificate/controller.ts';
import { definitions } from './definitions.ts';
import { makeInspections } from './inspection/asking.ts';
import { disruptionController } from './disruption/controller.ts';
import { machineController } from './machine/controller.ts';
import { machineComponentController } from './machinecomponent/controller.ts';
import { machineComponentSetController } from './machinecomponentset/controller.ts';
import { machineImportController, type MachineImportDeps } from './machineimport/index.ts';

export interface OperatorOptions {
  readonly client: Client;
  readonly log: Logger;
  readonly metrics?: Registry;
  /** Several operators may run, one of them leads. @default true */
  readonly leaderElection?: boolean;
  /** What hosts need to get their agent from; without it MachineImports are left alone. */
  readonly imports?: Omit<MachineImportDeps, 'client' | 'machines' | 'events' | 'log' | 'metrics'>;
}

/** Name of the Lease by which one of several operators leads, in kubenode-system. */
export const operatorLease = 'kubenode-machine-operator';

/** The machine operator: its manager, with everything added and not yet run. */
export function makeOperator(options: OperatorOptions): Manager {
  const { client, log, metrics } = options;
  const shared = { client, log, ...(metrics === undefined ? {} : { metrics }) };
  const events = recorder({ client, component: 'kubenode-machine', log });
  const caches = makeCaches(shared);
  const inspections = makeInspections({ client, log });
  const budget = budgetController({ ...shared, caches, events });
  const parts = { ...shared, caches, events, inspections, budget, definitions: definitions(client) };
  const assigning = assigner(parts);
  const identity = `${hostname()}_${process.pid}_${randomBytes(6).toString('hex')}`;
  const lease = { namespace: systemNamespace, name: operatorLease };
  return manager({
    log,
    ...(options.leaderElection === false
      ? {}
      : { election: leaderElection({ client, lease, identity, log }) }),
  }).add(
    ...Object.values(caches),
    events,
    inspections,
    budget,
    disruptionController(parts),
    assigning,
    machineController({ ...parts, assigner: assigning }),
    machineComponentController({ ...parts, assigner: assigning }),
    machineComponentSetController(parts),
    certificateController(parts),
    ...(options.imports === undefined
      ? []
      : machineImportController({ ...options.imports, ...shared, machines: caches.machines, events })),
  );
}

/**
 * Runs the machine operator until the signal. Resolves after a clean stop; rejects when a part failed or the lead was lost: exit the
 * process then, and start anew.
 */
export async function runOperator(
  options: OperatorOptions & { readonly signal: AbortSignal },
): Promise<void> {
  await makeOperator(options).run(options.signal);
}
