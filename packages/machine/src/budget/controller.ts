import {
  budgetName,
  fieldManagers,
  type NodeDisruptionBudget as BudgetObject,
  type NodeDisruptionBudgetStatus,
} from '@kubenode/api';
import {
  backoffMs,
  canonical,
  type Client,
  type Clock,
  type EventRecorder,
  isAlreadyExists,
  isConflict,
  isNotFound,
  isOlder,
  type Logger,
  refOf,
  type Registry,
  type Runnable,
  systemClock,
} from '@kubenode/runtime';
import type { Caches } from '../caches.ts';
import { NodeDisruptionBudget } from '../kinds.ts';
import { Alarm } from './alarm.ts';
import type { Budget, Denial, Reservation, Want } from './budget.ts';
import { Census } from './census.ts';
import { draw, giveBack, holdersOf, keyOfGrant, settle } from './ledger.ts';
import { type Batch, outcome, refusal } from './reservation.ts';
import { judged, nextRelief } from './status.ts';
import { Waiters } from './waiters.ts';

export interface BudgetOptions {
  readonly client: Client;
  readonly caches: Pick<Caches, 'machines' | 'budgets'>;
  readonly events: EventRecorder;
  readonly log: Logger;
  readonly metrics?: Registry;
  /** @default systemClock */
  readonly clock?: Clock;
}

/** What was given back waits so long for company, milliseconds. */
const releaseMs = 1000;
/** Counters, denials and the condition are written this often at most, milliseconds. */
const reportMs = 10_000;
/** However quiet it is, milliseconds: windows open and close by themselves. */
const lookMs = 30_000;
const retry = { baseMs: 500, maxMs: 30_000 };

/** The Budget over the NodeDisruptionBudget `default`, which it makes where there is none. */
export function budgetController(options: BudgetOptions): Budget & Runnable {
  return new LedgerBudget(options);
}

class LedgerBudget implements Budget, Runnable {
  readonly name = 'controller/budget';
  readonly needsLeader = true;
  readonly #options: BudgetOptions;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #census: Census;
  readonly #alarm: Alarm;
  readonly #waiters: Waiters;
  /** As it is stored, as far as is known; undefined: not read yet, or gone. */
  #stored: BudgetObject | undefined;
  /** What is stored, and what is to be. Never the same object once it changed. */
  #ledger: NodeDisruptionBudgetStatus = {};
  /** Whether what is stored has to be read from the API server first: a write failed. */
  #isStale = false;
  #isRunning = false;
  /** Reservations of this turn, and those whose write is under way. */
  #next: Batch | undefined;
  #flying: Batch | undefined;
  /** Given back, and not written yet. */
  readonly #released = new Set<string>();
  /** Holders of what is stored; undefined: to be found out. */
  #held: Map<string, Set<string>> | undefined;
  #failures = 0;
  readonly #due = { releaseAt: Infinity, reportAt: 0 };

  constructor(options: BudgetOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#log = options.log.with({ controller: 'budget' });
    this.#alarm = new Alarm(this.#clock);
    this.#waiters = new Waiters(this.#clock, this.#alarm);
    this.#census = new Census(options.caches.machines, () => this.#waiters.relieve());
    const granted = 'Disruptions under way, by the ledger.';
    options.metrics
      ?.gauge('kubenode_disruptions_active', granted)
      .collect(() => (this.#ledger.grants ?? []).length);
  }

  reserve(wants: readonly Want[], now: number): Reservation {
    const stored = this.#stored;
    if (!this.#isRunning || this.#isStale || stored === undefined) return refusal(wants, this.#awaited());
    const { status, granted, fresh, denied, newlyDenied } = draw(
      stored.spec,
      this.#ledger,
      this.#census,
      wants,
      now,
    );
    this.#ledger = status;
    for (const [holder, denial] of newlyDenied) this.#tell(stored, holder, denial);
    if (denied !== undefined) this.#waiters.denied((denied.until ?? Infinity) - now);
    if (fresh.length > 0) {
      for (const grant of fresh) this.#released.delete(keyOfGrant(grant));
      this.#next ??= Promise.withResolvers();
      this.#alarm.ring();
    }
    const batch = granted.length === 0 ? undefined : (this.#next ?? this.#flying);
    return { granted, denied, written: (signal) => outcome(batch, signal) };
  }

  release(holder: string, machine: string): void {
    const key = keyOfGrant({ holder, machine });
    const ledger = giveBack(this.#ledger, new Set([key]));
    if (ledger === this.#ledger) return;
    this.#ledger = ledger;
    this.#released.add(key);
    this.#held = undefined;
    this.#due.releaseAt = Math.min(this.#due.releaseAt, this.#clock.monotonic() + releaseMs);
    this.#alarm.within(releaseMs);
    this.#waiters.relieve();
  }

  held(holder: string): ReadonlySet<string> {
    this.#held ??= holdersOf(this.#stored?.status, this.#released);
    return this.#held.get(holder) ?? none;
  }

  onChange(handler: () => void): void {
    this.#waiters.add(handler);
  }

  async run(signal: AbortSignal): Promise<void> {
    const { machines, budgets } = this.#options.caches;
    try {
      await Promise.all([machines.synced(signal), budgets.synced(signal)]);
    } catch (error) {
      if (signal.aborted) return;
      throw error;
    }
    using _machines = machines.on((change) => {
      this.#census.take(change);
      this.#alarm.within(reportMs);
    });
    using _budgets = budgets.on(({ key }) => {
      if (key === budgetName) this.#alarm.ring();
    });
    this.#isRunning = true;
    try {
      while (!signal.aborted) {
        await this.#turn(signal);
        await this.#alarm.sleep(lookMs, signal);
        // Whatever else is asked for in this turn goes into the same write.
        await new Promise<void>((resolve) => void setImmediate(resolve));
      }
    } finally {
      this.#isRunning = false;
      this.#void();
    }
  }

  /** One look: what is stored, what has to be written, and whom to tell. */
  async #turn(signal: AbortSignal): Promise<void> {
    try {
      await this.#read(signal);
      if (this.#stored === undefined) await this.#create(signal);
      if (this.#stored !== undefined) await this.#write(this.#stored, signal);
      this.#failures = 0;
    } catch (error) {
      this.#isStale = true;
      this.#void();
      if (signal.aborted) return;
      this.#failures += 1;
      if (isConflict(error) || isNotFound(error))
        this.#log.debug('the budget was written in between', { error });
      else
        this.#log.error('the budget could not be written; again later', { error, failures: this.#failures });
      this.#waiters.askAnew();
      // The first time at once: somebody was faster, and his ledger is there to be read.
      this.#alarm.within(this.#failures === 1 ? 0 : backoffMs(retry, this.#failures));
      return;
    }
    this.#waiters.tell();
  }

  /** Takes in what others wrote. What was taken on top of an older ledger is void. */
  async #read(signal: AbortSignal): Promise<void> {
    let found = this.#options.caches.budgets.get(budgetName);
    if (this.#isStale) {
      found = await this.#options.client.get(NodeDisruptionBudget, budgetName, { signal });
      this.#isStale = false;
    } else if (found !== undefined && this.#stored !== undefined && !isNewer(found, this.#stored)) {
      return;
    }
    this.#void();
    this.#stored = found;
    if (found === undefined) return;
    this.#adopt(found);
    this.#waiters.relieve();
  }

  #adopt(found: BudgetObject): void {
    const now = this.#clock.now();
    const { status = {} } = found;
    // Of a ledger that was cleared the grants are known still: they go on.
    const known = status.since === undefined ? { ...status, grants: this.#ledger.grants ?? [] } : status;
    this.#stored = found;
    this.#ledger = giveBack(settle(known, this.#census.everMoved, now), this.#released);
    this.#held = undefined;
    this.#census.setZoneLabel(found.spec.zoneLabel);
    // A ledger that begins is written at once, since an end of this process must not begin it anew; so is what follows from another spec.
    const isJudged = status.observedGeneration === found.metadata.generation;
    if (status.since === undefined || !isJudged) this.#due.reportAt = 0;
  }

  async #create(signal: AbortSignal): Promise<void> {
    const { client } = this.#options;
    const draft = { metadata: { name: budgetName }, spec: {} as BudgetObject['spec'] };
    try {
      this.#adopt(
        await client.create(NodeDisruptionBudget, draft, { fieldManager: fieldManagers.budget, signal }),
      );
      this.#log.info('the budget was made', { deniedUntil: this.#ledger.deniedUntil });
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
      this.#isStale = true;
      this.#alarm.ring();
    }
  }

  /** Writes the ledger if somebody waits for it, or something is due. */
  async #write(stored: BudgetObject, signal: AbortSignal): Promise<void> {
    const now = this.#clock.now();
    const elapsed = this.#clock.monotonic();
    const before = this.#ledger;
    this.#ledger = settle(before, this.#census.everMoved, now);
    if ((this.#ledger.grants ?? []).length < (before.grants ?? []).length) this.#waiters.relieve();
    const status = judged(stored, this.#ledger, this.#census, now);
    const isDue = this.#next !== undefined || elapsed >= this.#due.releaseAt || elapsed >= this.#due.reportAt;
    this.#alarm.within(nextRelief(status, now));
    if (!isDue) {
      this.#alarm.within(Math.min(this.#due.releaseAt, this.#due.reportAt) - elapsed);
      return;
    }
    if (this.#next === undefined && canonical(status) === canonical(stored.status)) {
      this.#due.releaseAt = Infinity;
      this.#released.clear();
      return;
    }
    const flying = this.#next;
    const released = [...this.#released];
    this.#flying = flying;
    this.#next = undefined;
    this.#due.releaseAt = Infinity;
    const written = await this.#options.client.update(
      NodeDisruptionBudget,
      { ...stored, status },
      { subresource: 'status', fieldManager: fieldManagers.budget, signal },
    );
    this.#flying = undefined;
    this.#due.reportAt = this.#clock.monotonic() + reportMs;
    for (const key of released) this.#released.delete(key);
    this.#stored = written;
    this.#held = undefined;
    flying?.resolve(true);
    // What came meanwhile.
    if (this.#next !== undefined) this.#alarm.ring();
    if (this.#released.size > 0) this.#alarm.within(releaseMs);
  }

  /** What was reserved and is not written is not granted. */
  #void(): void {
    for (const batch of [this.#flying, this.#next]) batch?.resolve(false);
    this.#flying = undefined;
    this.#next = undefined;
    if (this.#stored?.status !== undefined) this.#ledger = giveBack(this.#stored.status, this.#released);
  }

  #tell(stored: BudgetObject, holder: string, { limit, message }: Denial): void {
    const isAlarming = limit === 'ledger' || limit === 'maxUnhealthy';
    const note = `${holder} waits (${limit}): ${message}`;
    const ref = refOf(NodeDisruptionBudget, stored);
    this.#options.events.event(ref, isAlarming ? 'Warning' : 'Normal', 'DisruptionDenied', note);
    this.#log.info('disruption denied', { holder, limit, message });
  }

  #awaited(): Denial {
    this.#waiters.askAnew();
    this.#alarm.ring();
    return { limit: 'ledger', message: 'The NodeDisruptionBudget default is not read yet.' };
  }
}

const none: ReadonlySet<string> = new Set();

function isNewer(found: BudgetObject, known: BudgetObject): boolean {
  if (found.metadata.uid !== known.metadata.uid) return true;
  return isOlder(known.metadata.resourceVersion ?? '', found.metadata.resourceVersion ?? '');
}
