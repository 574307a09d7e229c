import type { Machine, NodeDisruptionBudget, NodeDisruptionBudgetStatus } from '@kubenode/api';
import {
  type Budget,
  type Denial,
  draw,
  giveBack,
  isUnhealthy,
  keyOfGrant,
  type Reservation,
  type Want,
} from '@kubenode/machine';

/** The disruption budget with a ledger of its own: nothing is written anywhere. */
export class SimulatedBudget implements Budget {
  /** How long everything stood still because it denied something, milliseconds. */
  heldMs = 0;
  readonly #budget: NodeDisruptionBudget | undefined;
  readonly #zones: ReadonlyMap<string, string>;
  readonly #sizes = new Map<string, number>();
  readonly #unhealthy: ReadonlySet<string>;
  #status: NodeDisruptionBudgetStatus | undefined;
  #denial: Denial | undefined;

  /** @param budget undefined: nothing is denied */
  constructor(budget: NodeDisruptionBudget | undefined, machines: readonly Machine[]) {
    this.#budget = budget;
    this.#status = budget?.status;
    const label = budget?.spec.zoneLabel ?? '';
    this.#zones = new Map(machines.map(({ metadata }) => [metadata.name, metadata.labels?.[label] ?? '']));
    for (const zone of this.#zones.values()) this.#sizes.set(zone, (this.#sizes.get(zone) ?? 0) + 1);
    this.#unhealthy = new Set(machines.filter(isUnhealthy).map(({ metadata }) => metadata.name));
  }

  reserve(wants: readonly Want[], now: number): Reservation {
    const written = (): Promise<boolean> => Promise.resolve(true);
    if (this.#budget === undefined) {
      return { granted: wants.map(({ machine }) => machine), denied: undefined, written };
    }
    const counts = {
      machines: this.#zones.size,
      unhealthy: this.#unhealthy.size,
      everMoved: false,
      isUnhealthy: (machine: string) => this.#unhealthy.has(machine),
      zoneOf: (machine: string) => this.#zones.get(machine) ?? '',
      inZone: (zone: string) => this.#sizes.get(zone) ?? 0,
    };
    const { status, granted, denied } = draw(this.#budget.spec, this.#status, counts, wants, now);
    this.#status = status;
    this.#denial = denied;
    return { granted, denied, written };
  }

  release(holder: string, machine: string): void {
    if (this.#status !== undefined)
      this.#status = giveBack(this.#status, new Set([keyOfGrant({ holder, machine })]));
  }

  held(holder: string): ReadonlySet<string> {
    const grants = this.#status?.grants ?? [];
    return new Set(grants.filter((grant) => grant.holder === holder).map(({ machine }) => machine));
  }

  onChange(): void {
    // Whoever simulates asks again whenever time has passed.
  }

  /** Until when it denied what was asked last; undefined: it did not, or does not know. */
  get deniedUntil(): number | undefined {
    return this.#denial?.until;
  }

  /** Before everybody asks again. */
  forgetDenial(): void {
    this.#denial = undefined;
  }

  waited(ms: number, isMoving: boolean): void {
    if (this.#denial !== undefined && !isMoving) this.heldMs += ms;
  }
}
