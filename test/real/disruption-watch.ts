/** Sees the leaves and the boots of machines as an outsider does: by a watch on Machines. */
import { setTimeout as delay } from 'node:timers/promises';
import type { MachineDisruption } from '@kubenode/api';
import { Machine } from '@kubenode/machine';
import type { Client } from '@kubenode/runtime';

interface Seen {
  readonly machine: string;
  readonly leave: MachineDisruption | undefined;
}

export class DisruptionWatch implements AsyncDisposable {
  readonly #stop = new AbortController();
  readonly #seen: Seen[] = [];
  readonly #boots = new Map<string, string[]>();
  readonly #now = new Map<string, MachineDisruption['state'] | undefined>();
  readonly #ended: Promise<void>;
  /** Machines under leave (drained, rebooted, or on their way back): the most at any moment. */
  mostAtOnce = 0;

  constructor(client: Client) {
    this.#ended = this.#follow(client);
  }

  /** Waits for a leave of this machine that fits. @throws Error after the deadline, with what was seen. */
  async until(
    machine: string,
    what: string,
    fits: (leave: MachineDisruption) => boolean,
    deadlineMs = 60_000,
  ): Promise<MachineDisruption> {
    const deadline = performance.now() + deadlineMs;
    for (;;) {
      const found = this.#seen.find(
        (seen) => seen.machine === machine && seen.leave !== undefined && fits(seen.leave),
      );
      if (found?.leave !== undefined) return found.leave;
      if (performance.now() > deadline)
        throw new Error(
          `not in ${deadlineMs / 1000} s: the leave of ${machine} is ${what}\n${this.story(machine)}`,
        );
      await delay(50);
    }
  }

  /** Leaves under which this machine was drained. */
  drainsOf(machine: string): readonly string[] {
    const ids = this.#seen.flatMap((seen) =>
      seen.machine === machine && seen.leave?.state === 'Draining' ? [seen.leave.id] : [],
    );
    return [...new Set(ids)];
  }

  /** Boot IDs that its agent has told, in order. */
  bootsOf(machine: string): readonly string[] {
    return this.#boots.get(machine) ?? [];
  }

  story(machine: string): string {
    return this.#seen
      .filter((seen) => seen.machine === machine)
      .map(({ leave }) => (leave === undefined ? 'no leave' : JSON.stringify(leave)))
      .join('\n');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#ended;
  }

  async #follow(client: Client): Promise<void> {
    for await (const event of client.watch(Machine, { signal: this.#stop.signal })) {
      if (!('object' in event)) continue;
      const { metadata, status } = event.object;
      const { name: machine } = metadata;
      this.#seen.push({ machine, leave: status?.disruption });
      this.#now.set(machine, status?.disruption?.state);
      const busy = [...this.#now.values()].filter(
        (state) => state === 'Draining' || state === 'Granted' || state === 'Ending',
      );
      this.mostAtOnce = Math.max(this.mostAtOnce, busy.length);
      const boot = status?.host?.bootID;
      const boots = this.#boots.get(machine) ?? [];
      if (boot !== undefined && boots.at(-1) !== boot) this.#boots.set(machine, [...boots, boot]);
    }
  }
}
