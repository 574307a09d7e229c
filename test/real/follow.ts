/** Follows one component in a Machine's status, so that a story can tell what was said of it since some moment. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Correctness, MachineComponentStatus } from '@kubenode/api';
import { Machine } from '@kubenode/machine';
import type { Client } from '@kubenode/runtime';

interface Told {
  /** performance.now() when it came. */
  readonly at: number;
  readonly status: MachineComponentStatus;
}

export class Follower implements AsyncDisposable {
  readonly #machine: string;
  readonly #component: string;
  readonly #stop = new AbortController();
  readonly #told: Told[] = [];
  readonly #ended: Promise<void>;

  constructor(client: Client, machine: string, component: string) {
    this.#machine = machine;
    this.#component = component;
    this.#ended = this.#follow(client);
  }

  /**
   * Waits until something was told since that moment that fits. @returns milliseconds from that moment until it came.
   * @throws Error after the deadline, with everything told since.
   */
  async until(
    what: string,
    since: number,
    fits: (status: MachineComponentStatus) => boolean,
    deadlineMs = 60_000,
  ): Promise<number> {
    const deadline = performance.now() + deadlineMs;
    for (;;) {
      const found = this.#told.find(({ at, status }) => at >= since && fits(status));
      if (found !== undefined) return found.at - since;
      if (performance.now() > deadline) {
        throw new Error(
          `${this.#machine}: ${this.#component}: not told in ${deadlineMs / 1000} s: ${what}\n${this.toldSince(since)}`,
        );
      }
      await delay(10);
    }
  }

  /** The correctnesses that were told to be broken since that moment. */
  brokenSince(since: number): (keyof Correctness)[] {
    const broken = new Set<keyof Correctness>();
    for (const { at, status } of this.#told) {
      if (at < since) continue;
      for (const aspect of ['version', 'config', 'running'] as const)
        if (status.correct?.[aspect] === 'False') broken.add(aspect);
    }
    return [...broken];
  }

  /** What was told since that moment, for the message of a failed assertion. */
  toldSince(since: number): string {
    const told = this.#told.filter(({ at }) => at >= since).map(({ status }) => status);
    return JSON.stringify(told, undefined, 1);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#ended;
  }

  async #follow(client: Client): Promise<void> {
    const selection = { fieldSelector: `metadata.name=${this.#machine}`, signal: this.#stop.signal };
    for await (const event of client.watch(Machine, selection)) {
      if (!('object' in event)) continue;
      const status = event.object.status?.components?.find(({ name }) => name === this.#component);
      if (status !== undefined) this.#told.push({ at: performance.now(), status });
    }
  }
}
