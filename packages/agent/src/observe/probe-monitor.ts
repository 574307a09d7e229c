import type { Clock } from '../clock.ts';
import type { GoalProbe } from '../plan/goal.ts';
import type { ProbeRunner } from '../ports.ts';
import { Wakeup } from '../wakeup.ts';
import type { ProbeVerdict } from './judge.ts';

interface ProbeState {
  ok: boolean | undefined;
  failures: number;
  message: string;
}
interface Watched {
  readonly key: string;
  readonly stop: AbortController;
  readonly states: Map<string, ProbeState>;
  /** Of each probe's loop. */
  readonly wakeups: Wakeup[];
  since: number;
}

/** Runs the probes of components in their periods and counts as the kubelet does: so many failures in a row are one. */
export class ProbeMonitor {
  readonly #runner: ProbeRunner;
  readonly #clock: Clock;
  readonly #changed: (component: string) => void;
  readonly #watched = new Map<string, Watched>();

  /** @param changed called when a verdict changed. */
  constructor(runner: ProbeRunner, clock: Clock, changed: (component: string) => void) {
    this.#runner = runner;
    this.#clock = clock;
    this.#changed = changed;
  }

  /** Watches a component's probes; the same key again changes nothing. `proven`: they all succeeded just now. */
  watch(component: string, key: string, probes: readonly GoalProbe[], proven: boolean): void {
    if (this.#watched.get(component)?.key === key) return;
    this.forget(component);
    const watched: Watched = {
      key,
      stop: new AbortController(),
      states: new Map(),
      wakeups: [],
      since: this.#clock.now(),
    };
    this.#watched.set(component, watched);
    for (const probe of probes) {
      watched.states.set(probe.name, { ok: proven ? true : undefined, failures: 0, message: '' });
      void this.#loop(component, probe, watched, proven);
    }
  }
  /** The component was started again: it is asked at once; failures are counted afresh, and not at all during the initial delay. */
  restarted(component: string): void {
    const watched = this.#watched.get(component);
    if (watched === undefined) return;
    watched.since = this.#clock.now();
    for (const state of watched.states.values()) Object.assign(state, { ok: undefined, failures: 0 });
    for (const wakeup of watched.wakeups) wakeup.wake();
  }
  forget(component: string): void {
    this.#watched.get(component)?.stop.abort();
    this.#watched.delete(component);
  }
  close(): void {
    for (const component of this.#watched.keys()) this.forget(component);
  }

  verdict(component: string): ProbeVerdict {
    const states = [...(this.#watched.get(component)?.states ?? [])];
    const failed = states.filter(([, { ok }]) => ok === false);
    if (failed.length > 0) {
      return {
        healthy: false,
        message: failed.map(([name, { message }]) => `probe ${name}: ${message}`).join('; '),
      };
    }
    return { healthy: states.some(([, { ok }]) => ok === undefined) ? undefined : true, message: '' };
  }

  async #loop(component: string, probe: GoalProbe, watched: Watched, proven: boolean): Promise<void> {
    const { signal } = watched.stop;
    const wakeup = new Wakeup();
    watched.wakeups.push(wakeup);
    try {
      if (proven) await wakeup.wait(Math.random() * probe.periodMs, this.#clock, signal);
      while (!signal.aborted) {
        const result = await this.#attempt(probe);
        if (signal.aborted) return;
        if (this.#count(probe, watched, result)) this.#changed(component);
        const state = watched.states.get(probe.name);
        const wait = state?.ok === undefined ? Math.min(probe.periodMs, 1_000) : probe.periodMs;
        await wakeup.wait(wait, this.#clock, signal);
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  async #attempt({ request }: GoalProbe): Promise<{ ok: boolean; message: string }> {
    try {
      return await this.#runner.run(request);
    } catch (error) {
      return { ok: false, message: String(error) };
    }
  }

  #count(probe: GoalProbe, watched: Watched, result: { ok: boolean; message: string }): boolean {
    const state = watched.states.get(probe.name);
    if (state === undefined) return false;
    const before = state.ok;
    if (result.ok) {
      Object.assign(state, { ok: true, failures: 0, message: '' });
    } else if (this.#clock.now() >= watched.since + probe.initialDelayMs) {
      state.failures++;
      state.message = result.message.slice(0, 200);
      if (state.failures >= probe.failureThreshold) state.ok = false;
    }
    return before !== state.ok;
  }
}
