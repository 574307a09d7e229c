import type { Condition, Machine } from '@kubenode/api';
import { type Change, findCondition, type Informer } from '@kubenode/runtime';
import { isChanging } from '../machine/plan.ts';
import type { Counts } from './limits.ts';

/** What changed that may let more begin than before. */
type Relief = () => void;

/** Machines counted as they change: by health, by zone, and whether any was ever moved. */
export class Census implements Counts {
  readonly #machines: Pick<Informer<Machine>, 'get' | 'values'>;
  readonly #relieved: Relief;
  #zoneLabel = '';
  #count = 0;
  #unhealthy = 0;
  #moved = 0;
  #perZone = new Map<string, number>();

  /** @param relieved called where a machine more is there, or one less unhealthy */
  constructor(machines: Pick<Informer<Machine>, 'get' | 'values'>, relieved: Relief) {
    this.#machines = machines;
    this.#relieved = relieved;
  }

  get machines(): number {
    return this.#count;
  }
  get unhealthy(): number {
    return this.#unhealthy;
  }
  get everMoved(): boolean {
    return this.#moved > 0;
  }
  isUnhealthy(machine: string): boolean {
    const found = this.#machines.get(machine);
    return found !== undefined && isUnhealthy(found);
  }
  zoneOf(machine: string): string {
    const found = this.#machines.get(machine);
    return found === undefined ? '' : this.#zoneIn(found);
  }
  inZone(zone: string): number {
    return this.#perZone.get(zone) ?? 0;
  }

  /** Counts the zones anew where the label is another than before. */
  setZoneLabel(label: string): void {
    if (label === this.#zoneLabel) return;
    this.#zoneLabel = label;
    this.#perZone = new Map();
    for (const machine of this.#machines.values()) this.#addZone(machine, 1);
  }

  /** For `on` of the cache of machines. */
  take(change: Pick<Change<Machine>, 'old' | 'new'>): void {
    const unhealthy = this.#unhealthy;
    const count = this.#count;
    if (change.old !== undefined) this.#add(change.old, -1);
    if (change.new !== undefined) this.#add(change.new, 1);
    if (this.#unhealthy < unhealthy || this.#count > count) this.#relieved();
  }

  #add(machine: Machine, by: 1 | -1): void {
    this.#count += by;
    if (isUnhealthy(machine)) this.#unhealthy += by;
    if (wasMoved(machine)) this.#moved += by;
    this.#addZone(machine, by);
  }

  #addZone(machine: Machine, by: 1 | -1): void {
    const zone = this.#zoneIn(machine);
    const count = (this.#perZone.get(zone) ?? 0) + by;
    if (count === 0) this.#perZone.delete(zone);
    else this.#perZone.set(zone, count);
  }

  #zoneIn({ metadata }: Machine): string {
    return metadata.labels?.[this.#zoneLabel] ?? '';
  }
}

const notIll = new Set(['Deleting', 'AgentPending', 'AgentLeft', 'ComponentsPending']);

/**
 * It should work and does not. A machine that is new, that leaves, or whose components are being changed as they should be, is not Ready either,
 * and no reason to stop.
 */
export function isUnhealthy({ status }: Pick<Machine, 'status'>): boolean {
  const conditions: readonly Condition[] = status?.conditions ?? [];
  const ready = findCondition(conditions, 'Ready');
  if (ready === undefined || ready.status === 'True' || notIll.has(ready.reason)) return false;
  return ready.reason !== 'ComponentsNotReady' || !isChanging(conditions);
}

function wasMoved({ spec }: Machine): boolean {
  return (spec.components ?? []).some(({ movedAt }) => movedAt !== undefined);
}
