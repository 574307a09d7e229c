import {
  fieldManagers,
  type ImportStep,
  type MachineImport as ImportObject,
  type MachineImportStatus,
} from '@kubenode/api';
import {
  type Clock,
  controller,
  informer,
  isConflict,
  isNotFound,
  isUnavailable,
  type ReconcileContext,
  type Result,
  type Runnable,
  systemClock,
} from '@kubenode/runtime';
import { MachineImport } from '../kinds.ts';
import { SshError } from '../ssh/index.ts';
import type { MachineImportDeps, Step } from './deps.ts';
import { limitedDownload } from './download.ts';
import type { Download } from './install.ts';
import {
  begun,
  currentSteps,
  ended,
  nextOf,
  type Outcome,
  recheckMs,
  type StepName,
  unreached,
} from './plan.ts';
import { isFinished, statusOf } from './status.ts';
import { agent } from './steps/agent.ts';
import { certificate } from './steps/certificate.ts';
import { components } from './steps/components.ts';
import { connect } from './steps/connect.ts';
import { identity } from './steps/identity.ts';
import { inspect } from './steps/inspect.ts';
import { machine } from './steps/machine.ts';
import { node } from './steps/node.ts';
import { planChanges } from './steps/plan-changes.ts';
import { removeAgentStep } from './steps/remove-agent.ts';
import { removeMachine } from './steps/remove-machine.ts';
import { revert } from './steps/revert.ts';
import { type OpenWork, openWork } from './work.ts';

const doers: Readonly<Record<StepName, Step>> = {
  Connect: connect,
  Inspect: inspect,
  Plan: planChanges,
  Identity: identity,
  Agent: agent,
  Certificate: certificate,
  Machine: machine,
  Components: components,
  Node: node,
  Revert: revert,
  RemoveAgent: removeAgentStep,
  RemoveMachine: removeMachine,
};

/** An agent over a slow line takes minutes; each command on the host has a deadline of its own. */
const reconcileMs = 1_800_000;

/** What is kept of each import: enough to know whether there is anything to do. */
interface ImportView {
  readonly generation: number;
  readonly machine: string;
  /** Nothing to do until its spec changes. */
  readonly settled: boolean;
}

function viewOf({ metadata, spec, status }: ImportObject): ImportView {
  const generation = metadata.generation ?? 0;
  const isDone = status?.observedGeneration === generation && isFinished(status.steps ?? []);
  return {
    generation,
    machine: spec.machine.name,
    settled: metadata.deletionTimestamp !== undefined || isDone,
  };
}

/**
 * Takes over hosts that are there already, as MachineImports ask for it. Everything it knows stands in their statuses and on the hosts, so it
 * may die at any moment and goes on from there.
 *
 * @returns what has to run: the controller (on the leader only) and its local copy of MachineImports
 */
export function machineImportController(deps: MachineImportDeps): readonly Runnable[] {
  const { client, log, metrics } = deps;
  const all = { ...deps, clock: deps.clock ?? systemClock, push: limitedDownload(deps.download) };
  const common = { log, ...(metrics === undefined ? {} : { metrics }) };
  const imports = informer({
    client,
    kind: MachineImport,
    project: viewOf,
    equal: (a, b) => a.generation === b.generation && a.settled === b.settled && a.machine === b.machine,
    indexes: { machine: (view) => (view.settled ? [] : [view.machine]) },
    ...common,
  });
  const reconcile = async (key: string, context: ReconcileContext): Promise<Result | undefined> => {
    const view = imports.get(key);
    if (view === undefined || view.settled) return undefined;
    const object = await client.get(MachineImport, key, { signal: context.signal });
    if (object === undefined || object.metadata.deletionTimestamp !== undefined) return undefined;
    return new Run(object, all, context, () => imports.get(key)?.generation).go();
  };
  const own = controller({
    name: 'machineimport',
    reconcile,
    workers: deps.workers ?? 10,
    timeoutMs: reconcileMs,
    clock: all.clock,
    ...common,
  })
    .for(imports)
    .watches(deps.machines, (_machine, { key }) => imports.keysBy('machine', key));
  return [imports, own];
}

/** One reconcile: step after step, the status written between them, until something is waited for. */
class Run {
  readonly #object: ImportObject;
  readonly #deps: MachineImportDeps & { readonly clock: Clock; readonly push: Download };
  readonly #context: ReconcileContext;
  readonly #newest: () => number | undefined;
  readonly #work: OpenWork;
  #steps: readonly ImportStep[];
  #written: string;

  constructor(
    object: ImportObject,
    deps: MachineImportDeps & { readonly clock: Clock; readonly push: Download },
    context: ReconcileContext,
    newest: () => number | undefined,
  ) {
    this.#object = object;
    this.#deps = deps;
    this.#context = context;
    this.#newest = newest;
    this.#work = openWork(object, deps, context.signal);
    this.#steps = currentSteps(object.spec, object.status, object.metadata.generation ?? 0);
    this.#written = JSON.stringify(object.status ?? null);
  }

  async go(): Promise<Result | undefined> {
    const generation = this.#object.metadata.generation ?? 0;
    try {
      for (;;) {
        // The spec may have changed meanwhile; that change is in the queue already.
        if ((this.#newest() ?? generation) > generation) return undefined;
        const next = nextOf(this.#steps, this.#now());
        if (next.do === 'Wait') return { afterMs: next.afterMs };
        if (next.do === 'Nothing') return await this.#finish();
        const outcomes = await this.#do(next.steps);
        if (outcomes.every(({ state }) => state === 'Done')) continue;
        await this.#write();
        const again = nextOf(this.#steps, this.#now());
        return { afterMs: again.do === 'Wait' ? again.afterMs : recheckMs(outcomes) };
      }
    } finally {
      this.#work.close();
    }
  }

  async #do(names: readonly StepName[]): Promise<readonly Outcome[]> {
    this.#steps = begun(this.#steps, names, this.#now());
    await this.#write();
    const outcomes: Outcome[] = [];
    for (const name of names) {
      const before = this.#steps.find((step) => step.name === name);
      this.#work.begin(Date.parse(before?.since ?? '') || this.#now());
      const outcome = await this.#attempt(name);
      outcomes.push(outcome);
      this.#tell(name, before);
    }
    return outcomes;
  }

  async #attempt(name: StepName): Promise<Outcome> {
    const { log, signal } = this.#context;
    try {
      const outcome = await doers[name](this.#work);
      this.#steps = ended(this.#steps, name, outcome, this.#now());
      if (outcome.state === 'Done')
        log.info('step of an import done', { step: name, message: outcome.message });
      return outcome;
    } catch (error) {
      // Without the API server nothing can be written down; the queue tries again.
      if (signal.aborted || isUnavailable(error) || isConflict(error)) throw error;
      const message = error instanceof Error ? error.message : String(error);
      const outcome: Outcome = { state: 'Failed', message };
      const isUnreached = error instanceof SshError && error.kind !== 'Timeout';
      this.#steps = isUnreached
        ? unreached(this.#steps, message, this.#now())
        : ended(this.#steps, name, outcome, this.#now());
      return outcome;
    }
  }

  /** Events for what failed, once for each message. */
  #tell(name: StepName, before: ImportStep | undefined): void {
    const failed = this.#steps.find((step) => step.state === 'Failed');
    if (failed === undefined || (failed.name === before?.name && failed.message === before.message)) return;
    this.#context.log.warn('step of an import failed', {
      step: failed.name,
      during: name,
      message: failed.message,
    });
    this.#event('Warning', `${failed.name}Failed`, failed.message ?? '');
  }

  #event(type: 'Normal' | 'Warning', reason: string, note: string): void {
    const { apiVersion, metadata } = this.#object;
    const { name, uid } = metadata;
    const ref = { apiVersion, kind: MachineImport.kind, name, ...(uid === undefined ? {} : { uid }) };
    this.#deps.events.event(ref, type, reason, note);
  }

  async #finish(): Promise<undefined> {
    const status = await this.#write();
    const ready = status.conditions?.find(({ type }) => type === 'Ready');
    this.#event('Normal', this.#object.spec.state, ready?.message ?? '');
    this.#context.log.info('import done', { state: this.#object.spec.state });
  }

  async #write(): Promise<MachineImportStatus> {
    const status = statusOf(this.#object, this.#steps, this.#work.found, this.#now());
    const text = JSON.stringify(status);
    if (text === this.#written) return status;
    const { name } = this.#object.metadata;
    try {
      await this.#deps.client.apply(
        MachineImport,
        { metadata: { name }, status },
        {
          subresource: 'status',
          fieldManager: fieldManagers.import,
          force: true,
          signal: this.#context.signal,
        },
      );
    } catch (error) {
      // Deleted meanwhile: nobody is left to be told, and deleting it asks nothing of us.
      if (!isNotFound(error)) throw error;
    }
    this.#written = text;
    return status;
  }

  #now(): number {
    return this.#deps.clock.now();
  }
}
