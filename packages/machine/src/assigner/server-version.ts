import { backoffMs, type Client, type Clock, type Logger } from '@kubenode/runtime';

/** How often the API server is asked for its version: an upgrade of the control plane is seen by then. Milliseconds. */
const everyMs = 10 * 60_000;
const retry = { baseMs: 1000, maxMs: 60_000 };

/** Version of the API server, such as `v1.36.3`; kept up to date while `run` does. */
export class ServerVersion {
  #version: string | undefined;

  get version(): string | undefined {
    return this.#version;
  }

  /** Asks now and then. @param changed called when it is another one than before */
  async run(
    client: Client,
    clock: Clock,
    log: Logger,
    changed: () => void,
    signal: AbortSignal,
  ): Promise<void> {
    for (let failures = 0; !signal.aborted; ) {
      try {
        const { body } = await client.raw('GET', '/version', undefined, { signal });
        const { gitVersion } = JSON.parse(body.toString()) as { gitVersion?: string };
        const isNew = gitVersion !== this.#version;
        this.#version = gitVersion;
        failures = 0;
        if (isNew) changed();
      } catch (error) {
        if (signal.aborted) return;
        failures += 1;
        log.warn('the API server does not tell its version; again later', { error, failures });
      }
      const pause = failures === 0 ? everyMs : backoffMs(retry, failures);
      await clock.sleep(pause, signal).catch(() => undefined);
    }
  }
}
