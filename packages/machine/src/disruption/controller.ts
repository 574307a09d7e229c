import { budgetName, type Machine as MachineObject } from '@kubenode/api';
import { type Clock, type Controller, controller, systemClock } from '@kubenode/runtime';
import type { Caches } from '../caches.ts';
import type { NodeView } from '../machine/node.ts';
import { cordonOf } from './cordon.ts';
import { asked, planDisruption, type Situation } from './plan.ts';
import { type DisruptionOptions, holderOf, lookAtLeastMs, Work } from './work.ts';

/** Gives machines whose components ask for it leave to be disturbed: takes the grant, cordons and drains the Node, and puts it back to work. */
export function disruptionController(options: DisruptionOptions): Controller {
  const { caches, budget } = options;
  const clock = options.clock ?? systemClock;
  const quiet = new Quiet(clock);
  const work = new Work(options, clock, (machine) => self.enqueue(machine));
  const self = controller({
    ...options,
    name: 'disruption',
    workers: 8,
    async reconcile(name, { signal }) {
      await caches.budgets.synced(signal);
      const situation = situationOf(name, options, quiet);
      // There is no budget: it is being made.
      if (situation === undefined) return { afterMs: lookAtLeastMs };
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
    for (const machine of work.turns.first()) self.enqueue(machine);
  });
  return self;
}

function concerns(machine: MachineObject | undefined): boolean {
  return machine !== undefined && (machine.status?.disruption !== undefined || asked(machine) !== undefined);
}

/** undefined: the budget is not known yet. */
function situationOf(
  name: string,
  { caches, budget }: DisruptionOptions,
  quiet: Quiet,
): Situation | undefined {
  const spec = caches.budgets.get(budgetName)?.spec;
  if (spec === undefined) return undefined;
  const machine = caches.machines.get(name);
  const isHeld = budget.held(holderOf(name)).has(name);
  const quietMs = quiet.look(name, machine);
  return { name, machine, node: nodeOf(name, machine, caches), isHeld, spec, quietMs };
}

/** The Node of the machine; of one that is gone the Node that still says so. */
function nodeOf(
  name: string,
  machine: MachineObject | undefined,
  { nodes }: Pick<Caches, 'nodes'>,
): NodeView | undefined {
  if (machine === undefined) return nodes.by('cordonedBy', name)[0];
  return machine.spec.nodeName === undefined ? undefined : nodes.get(machine.spec.nodeName);
}

/** Since when nothing asks any more of machines that have leave. */
class Quiet {
  readonly #clock: Clock;
  /** Monotonic milliseconds. */
  readonly #since = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** How long it has been so, as far as this process saw, milliseconds; 0 where it is not so. */
  look(name: string, machine: MachineObject | undefined): number {
    const isQuiet = machine?.status?.disruption?.state === 'Granted' && asked(machine) === undefined;
    if (!isQuiet) {
      this.#since.delete(name);
      return 0;
    }
    const since = this.#since.get(name) ?? this.#clock.monotonic();
    this.#since.set(name, since);
    return this.#clock.monotonic() - since;
  }
}
