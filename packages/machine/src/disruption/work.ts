import { randomBytes } from 'node:crypto';
import { fieldManagers, type Machine as MachineObject } from '@kubenode/api';
import {
  type Client,
  type Clock,
  type EventRecorder,
  isNotFound,
  type Logger,
  Node,
  Pod,
  refOf,
  type Registry,
  type Result,
  timestamp,
} from '@kubenode/runtime';
import type { Budget } from '../budget/budget.ts';
import type { Caches } from '../caches.ts';
import { Machine } from '../kinds.ts';
import { type CordonPatch, cordonOf, planCordon, planUncordon } from './cordon.ts';
import { isEnding, planDrain, someOf } from './drain.ts';
import { deletePod, evict } from './eviction.ts';
import {
  aborted,
  type DisruptionKind,
  draining,
  ending,
  granted,
  type NextLeave,
  stillDraining,
  waiting,
} from './leave.ts';
import type { Situation, Step } from './plan.ts';
import { Turns } from './turns.ts';

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
export const lookAtLeastMs = 1000;
const lookAtMostMs = 10_000;
/** A ledger that another writer was faster with is asked again after so long. Milliseconds. */
const askAgainMs = 250;

/** In whose name a machine holds what it was granted. */
export function holderOf(machine: string): string {
  return `machine/${machine}`;
}

/** The effects: each step of a plan, done. */
export class Work {
  readonly turns = new Turns();
  readonly #options: DisruptionOptions;
  readonly #clock: Clock;
  readonly #enqueue: (machine: string) => void;

  constructor(options: DisruptionOptions, clock: Clock, enqueue: (machine: string) => void) {
    this.#options = options;
    this.#clock = clock;
    this.#enqueue = enqueue;
  }

  async carryOut(situation: Situation, step: Step, signal: AbortSignal): Promise<Result> {
    const { name, machine } = situation;
    if (step.do !== 'Ask') this.#leaveTurns(name);
    if (step.do === 'Nothing') return {};
    if (step.do === 'Rest') return step.afterMs === undefined ? {} : { afterMs: step.afterMs };
    if (step.do === 'PutBack') return this.#putBack(situation, step.forget, signal);
    if (machine === undefined) return {};
    if (step.do === 'Ask') return this.#ask(situation, machine, step.kind, signal);
    if (step.do === 'Drain') return this.#drain(situation, machine, step, signal);
    if (step.do === 'Abort') return this.#abort(situation, machine, step, signal);
    await this.#write(machine, ending(step.leave, step.message), signal);
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
    const id = before?.state === 'Waiting' ? before.id : newID();
    const reservation = this.#options.budget.reserve([{ holder: holderOf(name), machine: name, kind }], now);
    const { denied } = reservation;
    if (denied !== undefined) {
      const zone = machine.metadata.labels?.[spec.zoneLabel] ?? '';
      const { isFirst, isNews } = this.turns.wait(name, zone, denied.limit);
      // When the next may begin says something of the next one only.
      const { until, ...why } = denied;
      const leave = waiting(before, kind, id, isFirst ? denied : why);
      const isOver = isFirst && until !== undefined && !(Date.parse(before?.until ?? '') > now);
      const isTold = !isNews && !isOver && before?.state === 'Waiting' && before.kind === kind;
      // Without a time: the ledger is not read yet, and tells when it is.
      const isUnread = denied.limit === 'ledger' && until === undefined;
      if (!isTold && !isUnread && before?.state !== 'Granted') await this.#write(machine, leave, signal);
      return {};
    }
    this.#leaveTurns(name);
    if (!(await reservation.written(signal))) return { afterMs: askAgainMs };
    if (kind === 'Restart' || node === undefined) {
      await this.#grant(machine, granted(before, kind, id, spec, now, now), signal);
      return {};
    }
    const leave = draining(before, kind, id, { node: node.name, spec }, now);
    await this.#write(machine, leave, signal);
    this.#tell(machine, 'Normal', 'Draining', `${leave.message} Its components ask for ${kind}.`);
    return { afterMs: 0 };
  }

  /** What one does not take, or needs no more, the next may have. */
  #leaveTurns(machine: string): void {
    const next = this.turns.leave(machine);
    if (next !== undefined) this.#enqueue(next);
  }

  async #drain(
    { node, name, spec }: Situation,
    machine: MachineObject,
    { leave, byForce, until: ends }: Extract<Step, { do: 'Drain' }>,
    signal: AbortSignal,
  ): Promise<Result> {
    const { client } = this.#options;
    const goOn = async (): Promise<Result> => {
      const { kind, id, since } = leave;
      const next = granted(leave, kind, id, spec, Date.parse(since), this.#clock.now());
      await this.#grant(machine, next, signal);
      return {};
    };
    if (node === undefined) return goOn();
    const cordon = planCordon(node, name, leave.id);
    if (cordon !== undefined) await this.#patchNode(node.name, cordon, signal);
    const { items } = await client.list(Pod, { fieldSelector: `spec.nodeName=${node.name}`, signal });
    const plan = planDrain(items, spec.drain);
    if (plan.left.length === 0) return goOn();
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
    const next = stillDraining(leave, node.name, someOf(reasons), ends, then);
    if (next.message !== leave.message || leave.kind !== machine.status?.disruption?.kind) {
      await this.#write(machine, next, signal);
      if (reasons.length > 0) this.#tell(machine, 'Warning', 'DrainHeldUp', next.message ?? '');
    }
    const taken = this.#clock.now() - Date.parse(leave.since);
    const afterMs = Math.min(Math.max(taken / 10, lookAtLeastMs), lookAtMostMs);
    return { afterMs: Math.min(afterMs, Math.max(ends - this.#clock.now(), 0) + 1) };
  }

  async #grant(machine: MachineObject, leave: NextLeave, signal: AbortSignal): Promise<void> {
    await this.#write(machine, leave, signal);
    this.#tell(machine, 'Normal', 'DisruptionGranted', leave.message ?? '');
  }

  async #abort(
    { node }: Situation,
    machine: MachineObject,
    { leave, why }: Extract<Step, { do: 'Abort' }>,
    signal: AbortSignal,
  ): Promise<Result> {
    const next = aborted(leave, why, node?.name, this.#clock.now());
    await this.#write(machine, next, signal);
    const reason = why === 'Drain' ? 'DrainAborted' : 'DisruptionExpired';
    this.#tell(machine, 'Warning', reason, next.message ?? '');
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
  async #write(machine: MachineObject, next: NextLeave | undefined, signal: AbortSignal): Promise<void> {
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

function newID(): string {
  return randomBytes(8).toString('hex');
}

function soon(signal: AbortSignal): AbortSignal {
  return AbortSignal.any([signal, AbortSignal.timeout(visibleMs)]);
}
