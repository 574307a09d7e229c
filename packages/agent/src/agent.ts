import type { Clock } from './clock.ts';
import type { Desired } from './desired/desired.ts';
import type { Telling } from './execute/context.ts';
import { execute, type Outcome } from './execute/execute.ts';
import { Leaves } from './execute/leaves.ts';
import { limiter } from './execute/limiter.ts';
import { isBeforeTouch } from './execute/steps.ts';
import { isHealthy } from './observe/judge.ts';
import { Observer } from './observe/observer.ts';
import type { Logger } from './log.ts';
import { type ComponentDecision, decide, type Decision } from './plan/decide.ts';
import type { Goal } from './plan/goal.ts';
import { type ComponentRecord, type Operation, owedBy } from './plan/operation.ts';
import type { Host, HostFacts } from './ports.ts';
import type { ComponentView } from './report/status.ts';
import { OriginalsStore } from './state/originals.ts';
import { isAgent } from './selfupgrade/own.ts';
import { settle } from './selfupgrade/settle.ts';
import { StateStore } from './state/store.ts';
import type { EventSink } from './events.ts';
import { Upkeep } from './upkeep.ts';
import { Wakeup } from './wakeup.ts';

export interface AgentView {
  readonly desired: Desired | undefined;
  readonly facts: HostFacts;
  readonly components: readonly ComponentView[];
}
export interface AgentOptions {
  readonly host: Host;
  /** Host path of the agent's state. */
  readonly stateFolder: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly event: EventSink;
  /** Told after every pass. */
  readonly publish: (view: AgentView) => void;
  /** How it stands with the API server. Default: all is told. */
  readonly telling?: Telling;
  /** Between two full checks, in milliseconds; a fifth of it is jitter. Default 10,000: a full stat of 72 files took 0.2 ms. */
  readonly checkMs?: number;
  /** From 0 to 1, for waits that differ from host to host. Default Math.random. */
  readonly random?: () => number;
}

const defaultCheckMs = 10_000;
const allTold: Telling = { isOnline: true, confirm: () => true };
/** Downloads at once. */
const downloadsAtOnce = 2;

/** What passes by itself is no news. */
const passing: readonly string[] = ['DependencyNotReady', 'Backoff', 'Paused'];
/** A component that is assigned to a machine may come to it moments before one that it depends on. */
const dependencyComesMs = 5_000;

/** What keeps a component from being brought in. */
interface Obstacle {
  readonly message: string;
  /** Epoch milliseconds. */
  readonly since: number;
  readonly isTold: boolean;
}

interface Running {
  readonly stop: AbortController;
  readonly ended: Promise<void>;
}

/** Holds a host to its desired state: decides, carries out, watches, repairs. Everything it knows stands on disk. */
export class Agent {
  readonly #options: AgentOptions;
  readonly #store: StateStore;
  readonly #originals: OriginalsStore;
  readonly #observer: Observer;
  readonly #upkeep: Upkeep;
  readonly #leaves: Leaves;
  readonly #wakeup = new Wakeup();
  readonly #downloading = limiter(downloadsAtOnce);
  readonly #running = new Map<string, Running>();
  readonly #obstacles = new Map<string, Obstacle>();
  #decisions: readonly ComponentDecision[] = [];
  #desired: Desired | undefined;
  /** The desired state that the decisions are about: a newer one is not reported on before it was looked at. */
  #decidedFor: Desired | undefined;
  #facts: HostFacts | undefined;
  #isSettled = false;

  constructor(options: AgentOptions) {
    this.#options = options;
    const { host, stateFolder, log, clock } = options;
    this.#store = new StateStore(host.files, stateFolder, log);
    this.#originals = new OriginalsStore(host, stateFolder, log);
    this.#leaves = new Leaves(host.files, stateFolder, log);
    this.#observer = new Observer({
      host,
      store: this.#store,
      clock,
      log,
      checkMs: options.checkMs ?? defaultCheckMs,
      wake: () => this.#wakeup.wake(),
    });
    const { event } = options;
    this.#upkeep = new Upkeep({
      host,
      store: this.#store,
      observer: this.#observer,
      clock,
      log,
      event,
      leaves: this.#leaves,
      telling: options.telling ?? allTold,
      random: options.random ?? Math.random,
    });
  }

  /** Gives a new desired state; undefined says that none is known, and everything is held. */
  setDesired(desired: Desired | undefined): void {
    this.#desired = desired;
    this.#leaves.set(desired?.machine.leave);
    this.#wakeup.wake();
  }

  /** Runs until the signal; operations under way stay in the journal, components go on running. */
  async run(signal: AbortSignal): Promise<void> {
    const { host, log } = this.#options;
    await this.#store.load();
    await this.#leaves.load();
    this.#facts = await host.facts();
    using watch = this.#observer.watch();
    try {
      while (!signal.aborted) {
        try {
          await this.#pass();
          watch.refresh();
        } catch (error) {
          log.error('a pass failed and is tried again', {
            error: error instanceof Error ? (error.stack ?? error.message) : String(error),
          });
        }
        await this.#wakeup.wait(this.#untilDue(), this.#options.clock, signal);
      }
    } finally {
      for (const { stop } of this.#running.values()) stop.abort();
      await Promise.all([...this.#running.values()].map(({ ended }) => ended));
    }
  }

  /** One round: look, decide, begin. */
  async #pass(): Promise<void> {
    const { clock } = this.#options;
    const facts = this.#facts ?? (await this.#options.host.facts());
    if (!this.#isSettled) await this.#settleUpgrade();
    this.#isSettled = true;
    await this.#observer.observe((component) => this.#running.has(component));
    const desired = this.#desired;
    this.#decidedFor = desired;
    this.#decisions = decide({
      machine: desired?.machine,
      revisions: new Map(desired?.revisions.map((revision) => [revision.name, revision])),
      facts,
      records: this.#store.records(),
      operations: this.#store.operations(),
      newer: this.#store.newer(),
      healthy: (component) => isHealthy(this.#observer.judgement(component)),
      now: clock.now(),
    });
    for (const decision of this.#decisions) await this.#act(decision);
    this.#publish(facts);
  }

  /** An upgrade of the agent itself that is over, well or not. */
  async #settleUpgrade(): Promise<void> {
    const { host, clock, log, event } = this.#options;
    const failed = await settle({ host, store: this.#store, clock, log });
    if (failed === undefined) return;
    const { revision, step, message } = failed;
    event('Warning', 'InstallFailed', `the agent's ${revision} at step ${step}: ${message}`);
  }

  async #act({ component, decision, entry }: ComponentDecision): Promise<void> {
    this.#tellObstacle(component, decision);
    const running = this.#running.get(component);
    const operation = this.#store.operation(component);
    if (decision.do === 'Start') {
      const { kind, goal, reason, retryToken } = decision;
      // It ends at its next step; the pass after that begins the new one.
      if (running) running.stop.abort();
      else
        await this.#begin({
          kind,
          goal,
          reason,
          retryToken,
          startedAt: this.#options.clock.now(),
          done: [],
          ...(kind === 'Remove' && this.#disturbsIfRemoved(goal) ? { asks: 'Drain' } : {}),
        });
    } else if (decision.do === 'Resume') {
      if (!running && operation !== undefined) this.#launch(operation);
    } else if (!running && operation === undefined && !this.#decidedFor?.machine.paused) {
      const next = await this.#upkeep.tend(component, entry?.drift ?? 'Repair');
      if (next !== undefined) await this.#begin(next);
    }
  }

  #disturbsIfRemoved({ component, disruption, unit }: Goal): boolean {
    if (disruption !== 'Drain' && disruption !== 'Reboot') return false;
    const state = this.#observer.inspection(component)?.unit?.activeState;
    return unit === undefined ? disruption === 'Drain' : state === 'active';
  }

  /** Journals an operation in place of the one there and launches it. What that one may have left is kept in mind. */
  async #begin(operation: Operation): Promise<void> {
    const { component } = operation.goal;
    const replaced = this.#store.operation(component);
    let next = operation;
    if (replaced !== undefined && !hasTouched(replaced)) {
      // One that has only waited so far has left nothing itself.
      const { owed, mustReboot } = replaced;
      next = { ...next, ...(owed === undefined ? {} : { owed }), ...(mustReboot ? { mustReboot } : {}) };
    } else if (replaced !== undefined) {
      const record: ComponentRecord = this.#store.record(component) ?? {
        component,
        stray: [],
        drift: { repaired: 0 },
      };
      const touched = replaced.changes?.writes.map(({ path }) => path) ?? [];
      await this.#store.saveRecord({ ...record, stray: [...new Set([...record.stray, ...touched])] });
      const owed = owedBy(replaced);
      if (owed !== 'None') next = { ...next, owed };
      if (replaced.asks === 'Reboot') next = { ...next, mustReboot: true };
    }
    await this.#store.saveOperation(next);
    this.#launch(next);
  }

  #launch(operation: Operation): void {
    const { component } = operation.goal;
    const stop = new AbortController();
    const ended = this.#carryOut(operation, stop.signal).then(() => {
      this.#running.delete(component);
      this.#observer.ended(component);
      this.#leaves.changed();
    });
    this.#running.set(component, { stop, ended });
  }

  async #carryOut(begun: Operation, signal: AbortSignal): Promise<void> {
    const { host, clock, log } = this.#options;
    const { component } = begun.goal;
    const context = {
      host,
      clock,
      log,
      store: this.#store,
      originals: this.#originals,
      downloading: this.#downloading,
      telling: this.#options.telling ?? allTold,
      leaves: this.#leaves,
      progress: () => {
        this.#leaves.changed();
        this.#publish(this.#facts);
      },
    };
    try {
      let operation: Operation | undefined = begun;
      while (operation !== undefined && !signal.aborted) {
        const outcome: Outcome = await execute(operation, context, signal);
        this.#tellOutcome(operation, outcome);
        operation = outcome.result === 'RollBack' ? this.#store.operation(component) : undefined;
      }
      if (begun.kind === 'Repair') this.#probesAfterRepair(begun);
      if (isAgent(begun.goal)) await this.#settleUpgrade();
    } catch (error) {
      log.error('an operation was interrupted and is carried on', { component, error: String(error) });
      await clock.sleep(1_000, signal).catch(() => undefined);
    }
  }

  #probesAfterRepair({ goal, owed }: Operation): void {
    if (owed === 'Restart' || owed === 'Start') this.#observer.restarted(goal.component);
  }

  #tellOutcome({ goal, kind, harm }: Operation, outcome: Outcome): void {
    const { event, log } = this.#options;
    const { component, revision } = goal;
    log.info('operation ended', { component, revision, kind, result: outcome.result });
    if (outcome.result === 'Done') {
      const applied = this.#store.record(component)?.applied;
      if (kind !== 'Repair' && applied) this.#observer.broughtIn(component, applied);
      if (kind === 'Install') event('Normal', 'Installed', `${component} is ${revision}`, component);
      if (kind === 'Rollback') event('Normal', 'RolledBack', `${component} is ${revision} again`, component);
      if (kind === 'Repair' && this.#upkeep.contest(component) === undefined)
        event('Normal', 'DriftRepaired', `${component}: ${harm ?? ''}`, component);
      if (kind === 'Remove') event('Normal', 'Removed', `${component} was removed`, component);
    }
    if (outcome.result === 'Failed' || outcome.result === 'RollBack') {
      const { step, message } = outcome.failure;
      event('Warning', `${kind}Failed`, `${component} ${revision} at step ${step}: ${message}`, component);
    }
  }

  #tellObstacle(component: string, decision: Decision): void {
    const { clock, event } = this.#options;
    if (decision.do !== 'Wait' || passing.includes(decision.reason)) {
      this.#obstacles.delete(component);
      return;
    }
    const { reason, message } = decision;
    const known = this.#obstacles.get(component);
    const obstacle = known?.message === message ? known : { message, since: clock.now(), isTold: false };
    const patienceMs = reason === 'DependencyMissing' ? dependencyComesMs : 0;
    const isDue = !obstacle.isTold && clock.now() - obstacle.since >= patienceMs;
    this.#obstacles.set(component, isDue ? { ...obstacle, isTold: true } : obstacle);
    if (isDue) event('Warning', reason, `${component}: ${message}`, component);
  }

  #publish(facts: HostFacts | undefined): void {
    if (facts === undefined) return;
    const components = this.#decisions.map(({ component, entry, decision }) => ({
      component,
      entry,
      decision,
      record: this.#store.record(component),
      operation: this.#store.operation(component),
      judgement: this.#observer.judgement(component),
      leave: this.#leaves.current,
      contest: this.#upkeep.contest(component),
    }));
    this.#options.publish({ desired: this.#decidedFor, facts, components });
  }

  #untilDue(): number {
    const { clock } = this.#options;
    let due = this.#observer.nextCheck;
    for (const { decision } of this.#decisions) {
      if (decision.do === 'Wait' && decision.until !== undefined) due = Math.min(due, decision.until);
    }
    return Math.max(due - clock.now(), 10);
  }
}

/** Whether an operation has begun to change what is in use. */
function hasTouched({ done, step }: Operation): boolean {
  return [...done, ...(step === undefined ? [] : [step])].some((name) => !isBeforeTouch(name));
}
