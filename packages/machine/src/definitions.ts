import { apiGroup } from '@kubenode/api';
import { type Client, type Clock, CustomResourceDefinition, type Logger } from '@kubenode/runtime';

/** Tells a deletion that somebody meant from one that came because the whole kind is being deleted. */
export interface Definitions {
  /** The kind's definition is being deleted, or gone. Asks the API server. */
  isGoing(plural: string, signal?: AbortSignal): Promise<boolean>;
}

export function definitions(client: Client): Definitions {
  return {
    async isGoing(plural, signal) {
      const name = `${plural}.${apiGroup}`;
      const found = await client.get(CustomResourceDefinition, name, signal === undefined ? {} : { signal });
      return found === undefined || found.metadata.deletionTimestamp !== undefined;
    },
  };
}

/** After a failure the API server is asked again. Milliseconds. */
const askAgainMs = 5000;

/**
 * Which deletions are meant, for those who cannot wait for the answer: no until the API server has said so. Who deletes the definitions
 * (a tool that prunes, an uninstall) has not asked for every host to be emptied, though objects say what their deletion does.
 */
export class MeantDeletions {
  readonly #definitions: Definitions;
  readonly #clock: Clock;
  readonly #log: Logger;
  /** By kind and name, the uid. */
  readonly #meant = new Map<string, string>();
  readonly #asking = new Set<string>();

  constructor(definitions: Definitions, clock: Clock, log: Logger) {
    this.#definitions = definitions;
    this.#clock = clock;
    this.#log = log;
  }

  /** @param again called when another question would be answered differently */
  has(plural: string, name: string, uid: string, again: () => void): boolean {
    const key = `${plural}/${name}`;
    if (this.#meant.get(key) === uid) return true;
    if (!this.#asking.has(key)) {
      this.#asking.add(key);
      void this.#ask(plural, key, uid, again);
    }
    return false;
  }

  forget(plural: string, name: string): void {
    this.#meant.delete(`${plural}/${name}`);
  }

  async #ask(plural: string, key: string, uid: string, again: () => void): Promise<void> {
    try {
      const isGoing = await this.#definitions.isGoing(plural);
      this.#asking.delete(key);
      if (isGoing) return;
      this.#meant.set(key, uid);
      again();
    } catch (error) {
      this.#log.warn('whether a deletion is meant could not be found out; asked again', { key, error });
      await this.#clock.sleep(askAgainMs);
      this.#asking.delete(key);
      again();
    }
  }
}
