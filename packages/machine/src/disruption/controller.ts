import { randomBytes } from 'node:crypto';
import {
  budgetName,
  fieldManagers,
  type Machine as MachineObject,
  type MachineDisruption,
} from '@kubenode/api';
import {
  type Client,
  type Clock,
  type Controller,
  controller,
  type EventRecorder,
  isNotFound,
  type Logger,
  Node,
  parseDuration,
  Pod,
  refOf,
  type Registry,
  type Result,
  systemClock,
  timestamp,
} from '@kubenode/runtime';
import type { Budget } from '../budget/budget.ts';
import type { Caches } from '../caches.ts';
import { Machine } from '../kinds.ts';
import type { NodeView } from '../machine/node.ts';
import { type CordonPatch, cordonOf, planCordon, planUncordon } from './cordon.ts';
import { isEnding, planDrain, someOf } from './drain.ts';
import { deletePod, evict } from './eviction.ts';
import { asked, type DisruptionKind, planDisruption, retryAfter, type Situation, type Step } from './plan.ts';

export interface DisruptionOptions {
  readonly client: Client;
  readonly caches: Pick<Caches, 'machines' | 'nodes' | 'budgets'>;
  readonly budget: Budget;
  readonly events: EventRecorder;
  readonly log: Logger;
  readonly metrics?: Registry;
  /** @default systemClock */
  readonly clock?: Clock;
}

/** How long a write may take to show in the cache before it is given up on. Milliseconds. */
const visibleMs = 15_000;
/** Pods are looked at again after a tenth of what the drain has taken, within these bounds. Milliseconds. */
const look = { leastMs: 1000, mostMs: 10_000 };
/** A ledger that another writer was faster with is asked again after so long. Milliseconds. */
const askAgainMs = 250;

/** Gives machines whose components ask for it leave to be disturbed: takes the grant, cordons and drains the Node, and puts it back to work. */
export function disruptionController(options: DisruptionOptions): Controller {
  const { caches, budget } = options;
  const clock = options.clock ?? systemClock;
  const work = new Work(options, clock);
  const self = controller({
    ...options,
    name: 'disruption',
    workers: 8,
    async reconcile(name, { signal }) {
      await caches.budgets.synced(signal);
      const situation = work.situationOf(name);
      // There is no budget: it is being made.
      if (situation === undefined) return { afterMs: look.leastMs };
      return work.carryOut(situation, planDisruption(situation, clock.now()), signal);
    },
  })
    .for(
      caches.machines,
      ({ key, old, new: now }) => concerns(old) || concerns(now) || budget.held(holderOf(key)).has(key),
    )
    .watches(caches.nodes, function* (node) {
      const cordon = cordonOf(node);
      if (cordon !== undefined) yield cordon.machine;
      for (const machine of caches.machines.by('nodeName', node.name)) {
        if (concerns(machine)) yield machine.metadata.name;
      }
    });
  budget.onChange(() => {
    for (const name of work.waiting.keys()) self.enqueue(name);
  });
  return self;
}

function concerns(machine: MachineObject | undefined): boolean {
  return machine !== undefined && (machine.status?.disruption !== undefined || asked(machine) !== undefined);
}

function holderOf(machine: string): string {
  return `machine/${machine}`;
}

class Work {
  /** Machines that the budget denied, and by which limit. */
  readonly waiting = new Map<string, string>();
  readonly #options: DisruptionOptions;
  readonly #clock: Clock;
  /** Since when nothing asks any more; monotonic milliseconds. */
  readonly #quiet = new Map<string, number>();
  /** How long after the last abort it was to be asked again. */
  readonly #lastRetryMs = new Map<string, number>();

  constructor(options: DisruptionOptions, clock: Clock) {
    this.#options = options;
    this.#clock = clock;
  }

  /** undefined: the budget is not known yet. */
  situationOf(name: string): Situation | undefined {
    const { caches, budget } = this.#options;
    const spec = caches.budgets.get(budgetName)?.spec;
    if (spec === undefined) return undefined;
    const machine = caches.machines.get(name);
    const isHeld = budget.held(holderOf(name)).has(name);
    const quietMs = this.#quietMs(name, machine);
    const leave = machine?.status?.disruption;
    if (leave?.state === 'Aborted' && leave.until !== undefined) {
      this.#lastRetryMs.set(name, Date.parse(leave.until) - Date.parse(leave.since));
    }
    return { name, machine, node: this.#nodeOf(name, machine), isHeld, spec, quietMs };
  }

  #quietMs(name: string, machine: MachineObject | undefined): number {
    const isQuiet = machine?.status?.disruption?.state === 'Granted' && asked(machine) === undefined;
    if (!isQuiet) {
      this.#quiet.delete(name);
      return 0;
    }
    const since = this.#quiet.get(name) ?? this.#clock.monotonic();
    this.#quiet.set(name, since);
    return this.#clock.monotonic() - since;
  }

  /** The Node of the machine; of one that is gone the Node that still says so. */
  #nodeOf(name: string, machine: MachineObject | undefined): NodeView | undefined {
    const { nodes } = this.#options.caches;
    if (machine !== undefined) {
      return machine.spec.nodeName === undefined ? undefined : nodes.get(machine.spec.nodeName);
    }
    return nodes.by('cordonedBy', name)[0];
  }

  async carryOut(situation: Situation, step: Step, signal: AbortSignal): Promise<Result> {
    const { name, machine } = situation;
    if (step.do !== 'Ask') this.waiting.delete(name);
    if (step.do === 'Nothing') {
      this.#lastRetryMs.delete(name);
      return {};
    }
    if (step.do === 'Rest') return step.afterMs === undefined ? {} : { afterMs: step.afterMs };
    if (step.do === 'PutBack') return this.#putBack(situation, step.forget, signal);
    if (machine === undefined) return {};
    if (step.do === 'Ask') return this.#ask(situation, machine, step.kind, signal);
    if (step.do === 'Drain') return this.#drain(situation, machine, step, signal);
    if (step.do === 'Abort') return this.#abort(situation, machine, step, signal);
    await this.#write(machine, { ...step.leave, state: 'Ending', message: step.message }, signal);
    this.#tell(machine, 'Normal', 'DisruptionEnding', step.message);
    return { afterMs: 0 };
  }

  async #ask(
    situation: Situation,
    machine: MachineObject,
    kind: DisruptionKind,
    signal: AbortSignal,
  ): Promise<Result> {
    const { name, node, spec } = situation;
    const now = this.#clock.now();
    const before = machine.status?.disruption;
    const reservation = this.#options.budget.reserve([{ holder: holderOf(name), machine: name, kind }], now);
    const { denied } = reservation;
    if (denied !== undefined) {
      const isKnown =
        this.waiting.get(name) === denied.limit && before?.state === 'Waiting' && before.kind === kind;
      this.waiting.set(name, denied.limit);
      // Without a time: the ledger is not read yet, and tells when it is.
      const isUnread = denied.limit === 'ledger' && denied.until === undefined;
      if (isKnown || isUnread || before?.state === 'Granted') return {};
      const message = `Waits for the NodeDisruptionBudget (${denied.limit}): ${denied.message}`;
      const id = before?.state === 'Waiting' ? before.id : newID();
      await this.#write(machine, { kind, state: 'Waiting', id, message, ...until(denied.until) }, signal);
      return {};
    }
    this.waiting.delete(name);
    if (!(await reservation.written(signal))) return { afterMs: askAgainMs };
    const id = before?.state === 'Waiting' ? before.id : newID();
    if (kind === 'Restart' || node === undefined) {
      await this.#grant(situation, machine, { kind, state: 'Waiting', id, since: timestamp(now) }, signal);
      return {};
    }
    const message = `Node ${node.name} is cordoned and drained.`;
    const ends = now + parseDuration(spec.drain.timeout);
    await this.#write(machine, { kind, state: 'Draining', id, message, ...until(ends) }, signal);
    this.#tell(machine, 'Normal', 'Draining', `${message} Its components ask for ${kind}.`);
    return { afterMs: 0 };
  }

  async #drain(
    { node, name, spec }: Situation,
    machine: MachineObject,
    { leave, byForce, until: ends }: Extract<Step, { do: 'Drain' }>,
    signal: AbortSignal,
  ): Promise<Result> {
    const { client } = this.#options;
    const situation = { name, spec };
    if (node === undefined) {
      await this.#grant(situation, machine, leave, signal);
      return {};
    }
    const cordon = planCordon(node, name, leave.id);
    if (cordon !== undefined) await this.#patchNode(node.name, cordon, signal);
    const { items } = await client.list(Pod, { fieldSelector: `spec.nodeName=${node.name}`, signal });
    const plan = planDrain(items, spec.drain);
    if (plan.left.length === 0) {
      await this.#grant(situation, machine, leave, signal);
      return {};
    }
    const reasons = byForce ? [] : [...plan.inTheWay];
    if (byForce) {
      for (const pod of plan.left) if (!isEnding(pod)) await deletePod(client, pod, signal);
    } else {
      for (const pod of plan.evict) {
        const reason = await evict(client, pod, signal);
        if (reason !== undefined) reasons.push(reason);
      }
    }
    const then =
      byForce || spec.drain.onTimeout === 'Abort'
        ? 'it is given up and uncordoned'
        : 'what is left is deleted';
    const waits =
      reasons.length > 0
        ? `The drain of Node ${node.name} is held up: ${someOf(reasons)}`
        : `Node ${node.name} is cordoned; waits for its pods to end`;
    const message = `${waits.slice(0, 900)}. At ${timestamp(ends)} ${then}.`;
    if (message !== leave.message || leave.kind !== machine.status?.disruption?.kind) {
      await this.#write(machine, { ...leave, message, ...until(ends) }, signal);
      if (reasons.length > 0) this.#tell(machine, 'Warning', 'DrainHeldUp', message);
    }
    const taken = this.#clock.now() - Date.parse(leave.since);
    const afterMs = Math.min(Math.max(taken / 10, look.leastMs), look.mostMs);
    return { afterMs: Math.min(afterMs, Math.max(ends - this.#clock.now(), 0) + 1) };
  }

  async #grant(
    { name, spec }: Pick<Situation, 'name' | 'spec'>,
    machine: MachineObject,
    { kind, id, since }: MachineDisruption,
    signal: AbortSignal,
  ): Promise<void> {
    // The drain is part of the time that the grant is for.
    const ends = Date.parse(since) + parseDuration(spec.grantTimeout);
    const message = `The agent may go on (${kind}).`;
    await this.#write(machine, { kind, state: 'Granted', id, message, ...until(ends) }, signal);
    this.#lastRetryMs.delete(name);
    this.#tell(machine, 'Normal', 'DisruptionGranted', message);
  }

  async #abort(
    { name, node }: Situation,
    machine: MachineObject,
    { leave, why }: Extract<Step, { do: 'Abort' }>,
    signal: AbortSignal,
  ): Promise<Result> {
    const waitMs = retryAfter(this.#lastRetryMs.get(name));
    const again = this.#clock.now() + waitMs;
    const reason =
      why === 'Drain'
        ? `The drain of Node ${node?.name ?? ''} did not end in time. ${leave.message?.replace(/ At \S+ [^.]*\.$/, '') ?? ''}`
        : 'The agent did not use its leave before it ran out.';
    const message = `${reason} The Node is put back to work; it is tried again at ${timestamp(again)}.`;
    const { kind, id } = leave;
    await this.#write(machine, { kind, state: 'Aborted', id, message, ...until(again) }, signal);
    this.#tell(machine, 'Warning', why === 'Drain' ? 'DrainAborted' : 'DisruptionExpired', message);
    return { afterMs: 0 };
  }

  async #putBack({ name, machine, node }: Situation, forget: boolean, signal: AbortSignal): Promise<Result> {
    if (node !== undefined && cordonOf(node)?.machine === name) {
      const patch = planUncordon(node);
      if (patch !== undefined) await this.#patchNode(node.name, patch, signal);
    }
    this.#options.budget.release(holderOf(name), name);
    if (forget && machine !== undefined) await this.#write(machine, undefined, signal);
    return { afterMs: 0 };
  }

  async #patchNode(name: string, body: CordonPatch, signal: AbortSignal): Promise<void> {
    const { client, caches } = this.#options;
    try {
      const patch = { type: 'merge', body } as const;
      const patched = await client.patch(Node, name, patch, {
        fieldManager: fieldManagers.disruption,
        signal,
      });
      await caches.nodes.atLeast(name, patched.metadata.resourceVersion ?? '', soon(signal));
    } catch (error) {
      // The Node went meanwhile, and its cordon with it.
      if (!isNotFound(error)) throw error;
    }
  }

  /** `since` is the present wherever the state is another than before. */
  async #write(
    machine: MachineObject,
    next: (Omit<MachineDisruption, 'since'> & { readonly since?: string }) | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    const { client, caches } = this.#options;
    const { name, uid } = machine.metadata;
    const before = machine.status?.disruption;
    const since =
      before !== undefined && before.state === next?.state && before.id === next.id
        ? before.since
        : timestamp(this.#clock.now());
    const status = next === undefined ? {} : { disruption: { ...next, since } };
    const written = await client.apply(
      Machine,
      { metadata: { name, ...(uid && { uid }) }, status },
      { fieldManager: fieldManagers.disruption, force: true, subresource: 'status', signal },
    );
    await caches.machines.atLeast(name, written.metadata.resourceVersion ?? '', soon(signal));
  }

  #tell(machine: MachineObject, type: 'Normal' | 'Warning', reason: string, note: string): void {
    this.#options.events.event(refOf(Machine, machine), type, reason, note);
    this.#options.log.info('disruption', { machine: machine.metadata.name, reason, note });
  }
}

function until(time: number | undefined): { until?: string } {
  return time === undefined ? {} : { until: timestamp(time) };
}

function newID(): string {
  return randomBytes(8).toString('hex');
}

function soon(signal: AbortSignal): AbortSignal {
  return AbortSignal.any([signal, AbortSignal.timeout(visibleMs)]);
}
