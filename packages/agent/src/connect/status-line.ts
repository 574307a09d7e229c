import { ApiError, type Client } from '@kubenode/runtime';
import type { AgentStatus } from '../report/status.ts';
import { writeStatus } from './control-plane.ts';

/** How long the API server has for a word. Milliseconds. */
const wordMs = 10_000;

/** There is no connection, so nothing was tried. */
export class NotConnectedError extends Error {
  override readonly name = 'NotConnectedError';
}

/** Where the reporter's statuses go: to the API server while there is a connection. */
export class StatusLine {
  readonly #machine: string;
  #client: Client | undefined;
  /** What is wrong with the host's clock; told in AgentReady. */
  skew: string | undefined;

  constructor(machine: string) {
    this.#machine = machine;
  }
  attach(client: Client): void {
    this.#client = client;
  }
  detach(): void {
    this.#client = undefined;
  }

  /** Whether no word comes from the API server; a refusal is one. */
  async isCutOff(signal: AbortSignal): Promise<boolean> {
    try {
      await this.#client?.raw('GET', '/readyz', undefined, { signal, timeoutMs: wordMs });
      return this.#client === undefined;
    } catch (error) {
      signal.throwIfAborted();
      return !(error instanceof ApiError);
    }
  }

  /** @throws NotConnectedError, or what the server answered. */
  async write(status: AgentStatus, signal: AbortSignal): Promise<void> {
    if (this.#client === undefined) throw new NotConnectedError('there is no connection to the API server');
    const conditions = status.conditions.map((condition) =>
      condition.type === 'AgentReady' && condition.status === 'True' && this.skew !== undefined
        ? { ...condition, reason: 'ClockWrong', message: `The agent works, but ${this.skew}.` }
        : condition,
    );
    await writeStatus(this.#client, this.#machine, { ...status, conditions }, signal);
  }
}
