import type { BatchStatus, MachineComponentEntry } from '@kubenode/api';
import { eventsOf } from '../assigner/events.ts';
import type { Fleet } from './fleet.ts';

/** What happened in a story, in words. */
export class Teller {
  readonly #fleet: Fleet;
  #lines: string[] = [];

  constructor(fleet: Fleet) {
    this.#fleet = fleet;
  }

  /** What was told since this was asked last. */
  take(): string[] {
    const lines = this.#lines;
    this.#lines = [];
    return lines;
  }

  /** Plans and lets the agents act until nothing more happens by itself, and tells what was decided. */
  settle(rounds = 200): void {
    const fleet = this.#fleet;
    for (let round = 0; round < rounds; round += 1) {
      const isQuiet = !this.#look();
      const reports = fleet.reports();
      fleet.act();
      if (isQuiet && reports === fleet.reports()) return;
    }
    throw new Error(['the story does not come to rest:', ...this.#lines.slice(-12)].join('\n'));
  }

  /** Lets time pass, looking whenever the planner wants to look. */
  pass(ms: number): void {
    const fleet = this.#fleet;
    const end = fleet.now + ms;
    this.settle();
    for (let look = fleet.assignments.nextLook; look !== undefined && look <= end; ) {
      // A look takes a second of its own.
      fleet.now = Math.max(fleet.now, look - 1000);
      this.settle();
      look = fleet.assignments.nextLook;
    }
    fleet.now = Math.max(fleet.now, end);
    this.settle();
  }

  /** One look. True where anything was decided. */
  #look(): boolean {
    const fleet = this.#fleet;
    const before = new Map([...fleet.sets].map(([name, { status }]) => [name, status ?? {}]));
    const entries = new Map([...fleet.machines].map(([name, { spec }]) => [name, spec.components ?? []]));
    const { machines, sets } = fleet.plan();
    const moves = new Map<string, string[]>();
    for (const name of machines.keys()) {
      for (const what of this.#moved(name, entries.get(name) ?? [])) {
        const list = moves.get(what);
        if (list === undefined) moves.set(what, [name]);
        else list.push(name);
      }
    }
    for (const [what, names] of moves) this.#tell(`${names.sort(byNumber).join(', ')}: ${what}`);
    for (const [name, status] of sets) {
      const was = before.get(name) ?? {};
      const { batch } = status;
      const isNew =
        batch?.state !== was.batch?.state ||
        batch?.number !== was.batch?.number ||
        (batch?.until === undefined) !== (was.batch?.until === undefined) ||
        (batch?.state !== 'Updating' && batch?.reason !== was.batch?.reason);
      if (batch !== undefined && isNew) this.#tell(`${name}: ${batchText(batch)}`);
      for (const { type, reason, note } of eventsOf(was, status)) {
        this.#tell(`  event ${type === 'Warning' ? 'WARNING ' : ''}${reason}: ${note}`);
      }
    }
    return machines.size + sets.size > 0;
  }

  #moved(machine: string, before: readonly MachineComponentEntry[]): string[] {
    const after = this.#fleet.machines.get(machine)?.spec.components ?? [];
    const lines = after.flatMap((entry): string[] => {
      const was = before.find(({ name }) => name === entry.name);
      if (was?.movedAt === entry.movedAt && was?.state === entry.state) return [];
      const where =
        entry.batch === undefined || entry.rollout === was?.rollout ? '' : `, batch ${entry.batch}`;
      if (entry.state === 'Absent') return [`removes ${entry.name}${where}`];
      if (was === undefined) return [`gets ${entry.revision}${where === '' ? ', joining' : where}`];
      if (was.revision === entry.revision && was.retryToken !== entry.retryToken)
        return [`tries ${entry.revision} again`];
      const values = Object.entries(entry.variables ?? {}).map(([key, value]) => `${key}=${value}`);
      const same = was.revision === entry.revision ? ` with ${values.join(' ')}` : '';
      return [`to ${entry.revision}${same}${where}`];
    });
    const gone = before.filter(({ name }) => !after.some((entry) => entry.name === name));
    return [...lines, ...gone.map(({ name }) => `has no ${name} any more`)];
  }

  #tell(text: string): void {
    this.#lines.push(`${this.#clock()} ${text}`);
  }

  #clock(): string {
    return new Date(this.#fleet.now).toISOString().slice(11, 19);
  }

  /** Where everything stands. */
  end(): string[] {
    const lines: string[] = [];
    for (const [name, { status }] of this.#fleet.sets) {
      const ready = status?.conditions?.find(({ type }) => type === 'Ready');
      const told = `Ready ${ready?.status ?? '?'} ${ready?.reason ?? ''}`;
      lines.push(`${name}: ${told}: ${ready?.message ?? ''}`);
    }
    const at = new Map<string, string[]>();
    for (const [machine, { spec }] of this.#fleet.machines) {
      for (const { revision, state } of spec.components ?? []) {
        const what = state === 'Absent' ? `${revision}, to be removed` : revision;
        const list = at.get(what);
        if (list === undefined) at.set(what, [machine]);
        else list.push(machine);
      }
    }
    for (const [revision, names] of [...at].sort(([a], [b]) => (a < b ? -1 : 1))) {
      lines.push(`${revision}: ${names.sort(byNumber).join(', ')}`);
    }
    return lines;
  }
}

function byNumber(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true });
}

function batchText({ number, size, state, until, reason = '' }: BatchStatus): string {
  const which = number === 0 ? 'no batch yet' : `batch ${number} (${size})`;
  const time = until === undefined ? '' : ` until ${until.slice(0, 19)}Z`;
  return `${which} ${state}${time}${reason === '' ? '' : `: ${reason}`}`;
}
