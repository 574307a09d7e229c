import {
  type Client,
  type Connection,
  createClient,
  isUnauthorized,
  staticCredentials,
  swappableCredentials,
} from '@kubenode/runtime';
import type { Clock } from '../clock.ts';
import { askSkew, smellsOfClock } from '../connect/clock-skew.ts';
import type { Logger } from '../log.ts';
import type { HostFiles } from '../ports.ts';
import { DeniedError, enrol } from './enrol.ts';
import { IdentityFiles, type StoredIdentity } from './keys.ts';

export interface IdentityOptions {
  readonly files: HostFiles;
  readonly machine: string;
  /** Where the API server is and who may sign its certificate; without credentials. */
  readonly connection: Connection;
  /** The join token as it stands on the host now; undefined where there is none. Read each time, since a person may bring a new one. */
  readonly token: () => Promise<string | undefined>;
  readonly labels?: Readonly<Record<string, string>>;
  readonly nodeName?: string;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Waits between tries to get an identity. */
const retryMs: readonly number[] = [1_000, 2_000, 5_000, 15_000, 30_000, 60_000];
/** Renewed at a random moment between these shares of its life, so that a fleet made in one hour does not renew in one. */
const renewFrom = 2 / 3;
const renewTo = 5 / 6;
/** The clock may be set while we sleep, so no sleep is longer. */
const longestSleepMs = 600_000;

/** Who the agent is: gets a certificate with a join token, renews it with itself, and goes back to the token when it has ended. */
export class AgentIdentity {
  readonly credentials = swappableCredentials({});
  readonly #options: IdentityOptions;
  readonly #stored: IdentityFiles;
  #current: StoredIdentity | undefined;

  constructor(options: IdentityOptions) {
    this.#options = options;
    this.#stored = new IdentityFiles(options.files);
  }

  /** Resolves when there is a certificate that is valid now. Tries until the signal; says in the log what is in the way. */
  async ensure(signal: AbortSignal): Promise<void> {
    const { clock, log, machine } = this.#options;
    for (let attempt = 0; ; attempt++) {
      signal.throwIfAborted();
      if (await this.#useStored()) return;
      try {
        await this.#join(signal);
      } catch (error) {
        signal.throwIfAborted();
        const wait = retryMs[Math.min(attempt, retryMs.length - 1)] ?? 60_000;
        log.error('no identity yet; tried again', {
          machine,
          error: await this.explain(error),
          retryMs: wait,
        });
        await clock.sleep(wait * (0.8 + 0.4 * Math.random()), signal);
      }
    }
  }

  /** The server does not know us any more: the certificate is worth nothing, whatever it says. */
  async rejected(signal: AbortSignal): Promise<void> {
    const { log } = this.#options;
    if ((await this.#options.token()) === undefined) {
      log.error(
        'the API server refuses the certificate of this host, and there is no join token: bring one, or import the host again',
      );
      return;
    }
    log.warn('the API server refuses the certificate of this host; going back to the join token');
    try {
      await this.#join(signal);
      await this.#useStored();
    } catch (error) {
      log.error('joining again failed', { error: await this.explain(error) });
    }
  }

  /** Keeps the certificate fresh until the signal; connections made from then on use the new one. */
  async keepFresh(client: Client, signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#options;
    while (!signal.aborted) {
      const current = this.#current;
      if (current === undefined) return;
      const life = current.notAfter - current.notBefore;
      const due = current.notBefore + life * (renewFrom + (renewTo - renewFrom) * Math.random());
      while (clock.now() < due) await clock.sleep(Math.min(due - clock.now(), longestSleepMs), signal);
      try {
        await this.#renew(client, signal);
        log.info('the certificate was renewed', {
          until: new Date(this.#current?.notAfter ?? 0).toISOString(),
        });
      } catch (error) {
        signal.throwIfAborted();
        log.error('the certificate could not be renewed yet', {
          until: new Date(current.notAfter).toISOString(),
          error: await this.explain(error),
        });
        if (clock.now() >= current.notAfter) await this.ensure(signal);
        else
          await clock.sleep(Math.min(60_000, Math.max(1_000, (current.notAfter - clock.now()) / 10)), signal);
      }
    }
  }

  /** Why talking to the server failed, with a wrong clock recognised. */
  async explain(error: unknown): Promise<string> {
    const { connection, clock } = this.#options;
    const text = error instanceof Error ? error.message : String(error);
    const skew = smellsOfClock(error) ? await askSkew(connection.server, clock) : undefined;
    if (skew !== undefined) return `${skew} (${text})`;
    if (isUnauthorized(error))
      return `the join token is not accepted (it may have expired): bring a new one, or import the host again (${text})`;
    return text;
  }

  async #useStored(): Promise<boolean> {
    const { clock, log } = this.#options;
    const stored = await this.#stored.read();
    if (stored === undefined) return false;
    const now = clock.now();
    if (now >= stored.notAfter) {
      log.warn('the certificate of this host has ended; going back to the join token', {
        ended: new Date(stored.notAfter).toISOString(),
      });
      return false;
    }
    if (now < stored.notBefore)
      log.warn('the certificate is not valid yet by the clock of this host', {
        from: new Date(stored.notBefore).toISOString(),
      });
    this.#current = stored;
    this.credentials.set({ cert: stored.cert, key: stored.key });
    return true;
  }

  async #join(signal: AbortSignal): Promise<void> {
    const { connection, token, machine, log } = this.#options;
    const bootstrap = await token();
    if (bootstrap === undefined) {
      throw new Error(
        'this host has no valid certificate and no join token: make a token and put it there, or import the host again',
      );
    }
    const client = createClient({ ...connection, credentials: staticCredentials({ token: bootstrap }) });
    try {
      await this.#request(client, signal);
    } finally {
      client.close();
    }
    log.info('joined', { machine });
  }

  async #renew(client: Client, signal: AbortSignal): Promise<void> {
    await this.#request(client, signal);
    await this.#useStored();
  }

  async #request(client: Client, signal: AbortSignal): Promise<void> {
    const { machine, labels, nodeName, clock } = this.#options;
    const key = await this.#stored.nextKey();
    try {
      const about = {
        machine,
        key,
        ...(labels ? { labels } : {}),
        ...(nodeName === undefined ? {} : { nodeName }),
      };
      await this.#stored.store(await enrol(client, about, clock, signal));
    } catch (error) {
      if (error instanceof DeniedError) await this.#stored.dropNextKey();
      throw error;
    }
  }
}
