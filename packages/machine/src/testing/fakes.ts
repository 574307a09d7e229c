import type { Inspection } from '@kubenode/api';
import type { Budget, Denial, Reservation, Want } from '../budget/budget.ts';
import type { InspectedBatch, Inspections, Verdict } from '../inspection/inspections.ts';

/** A budget that allows so many at once, and does as tests say. Its grants outlive the process that asked, as the ledger does. */
export class FakeBudget implements Budget {
  /** How many machines may be disturbed at once. */
  atOnce = Number.POSITIVE_INFINITY;
  denial: Denial | undefined;
  /** Whether the next reservation turns out void: another writer was faster. */
  isVoid: () => boolean = () => false;
  readonly grants = new Map<string, Want>();
  readonly voided = new Set<Reservation>();
  #handlers: (() => void)[] = [];

  reserve(wants: readonly Want[]): Reservation {
    const granted: Want[] = [];
    let denied = this.denial;
    for (const want of wants) {
      const isHeld = this.grants.has(keyOf(want.holder, want.machine));
      const isFree = this.denial === undefined && this.grants.size + granted.length < this.atOnce;
      if (isHeld || isFree) granted.push(want);
      else {
        denied ??= {
          limit: 'concurrent.cluster',
          message: `concurrent.cluster: ${this.grants.size} of ${this.atOnce} machines are disrupted now`,
        };
      }
    }
    const reservation: Reservation = {
      granted: granted.map(({ machine }) => machine),
      denied: granted.length === wants.length ? undefined : denied,
      written: () => Promise.resolve(!this.voided.has(reservation)),
    };
    if (this.isVoid()) this.voided.add(reservation);
    else for (const want of granted) this.grants.set(keyOf(want.holder, want.machine), want);
    return reservation;
  }

  release(holder: string, machine: string): void {
    if (this.grants.delete(keyOf(holder, machine))) this.changed();
  }

  held(holder: string): ReadonlySet<string> {
    const mine = [...this.grants.values()].filter((want) => want.holder === holder);
    return new Set(mine.map(({ machine }) => machine));
  }

  onChange(handler: () => void): void {
    this.#handlers = [handler];
  }

  changed(): void {
    for (const handler of this.#handlers) handler();
  }
}

function keyOf(holder: string, machine: string): string {
  return `${holder} ${machine}`;
}

/** Inspections that find what tests say, as soon as they are asked; nothing where tests have said nothing. */
export class FakeInspections implements Inspections {
  now: () => number;
  /** By name of the inspection. */
  readonly found = new Map<string, Pick<Verdict, 'result' | 'message'>>();
  /** What was asked last, by set. */
  readonly asked = new Map<string, InspectedBatch>();
  #handlers: ((set: string) => void)[] = [];

  constructor(now: () => number) {
    this.now = now;
  }

  verdicts(batch: InspectedBatch, inspections: readonly Inspection[]): ReadonlyMap<string, Verdict> {
    this.asked.set(batch.set, batch);
    const at = Math.max(this.now(), batch.evidenceAfter);
    return new Map(
      inspections.flatMap(({ name }): [string, Verdict][] => {
        const found = this.found.get(name);
        return found === undefined ? [] : [[name, { ...found, at }]];
      }),
    );
  }

  forget(set: string): void {
    this.asked.delete(set);
  }

  onChange(handler: (set: string) => void): void {
    this.#handlers = [handler];
  }

  say(name: string, found: Pick<Verdict, 'result' | 'message'> | undefined): void {
    if (found === undefined) this.found.delete(name);
    else this.found.set(name, found);
    for (const set of this.asked.keys()) for (const handler of this.#handlers) handler(set);
  }
}
