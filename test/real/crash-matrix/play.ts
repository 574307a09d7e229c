/** Plays the acts on one host with one component, disturbed or not, and says how each ended. */
import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { MachineDisruption } from '@kubenode/api';
import type { LabHost } from '@kubenode/lab';
import { Machine } from '@kubenode/machine';
import type { Client } from '@kubenode/runtime';
import { type Act, entryOf, isEnded } from './acts.ts';
import { type ArtifactKind, componentName } from './components.ts';
import { type FaultPoint, faultFile, heldFile, traceFile } from './faults.ts';
import {
  differencesOfLines,
  differencesOnHost,
  type Look,
  lookAtHost,
  lookAtTold,
  type Told,
} from './look.ts';

export type Disturbance = 'kill' | 'power';
export interface Disturbed {
  readonly point: FaultPoint;
  readonly disturbance: Disturbance;
}

/** An act ended in another way, or not at all. */
export class NotTheSame extends Error {
  override readonly name = 'NotTheSame';
}

/**
 * The longest wait for an agent that comes to a step, and for the end of an act: many times what is usual (1 to 5 s). An agent that was
 * stopped in the middle of its own upgrade has a minute's grace before its watchdog acts.
 */
const deadlineMs = 180_000;
/** What is told last (a probe's first word, a status) may come so much later than the end. */
const sameWithinMs = 12_000;

export class Play {
  readonly host: LabHost;
  readonly artifact: ArtifactKind;
  readonly #client: Client;
  readonly #uids: ReadonlyMap<string, string>;
  /** What the host sees as its fault folder. */
  readonly #faults: string;

  constructor(
    host: LabHost,
    artifact: ArtifactKind,
    given: { client: Client; uids: ReadonlyMap<string, string>; faults: string },
  ) {
    this.host = host;
    this.artifact = artifact;
    this.#client = given.client;
    this.#uids = given.uids;
    this.#faults = given.faults;
  }

  /** Plays an act undisturbed. @returns where it ended, and every point that the agent came by. */
  async calm(act: Act): Promise<{ end: Look; points: FaultPoint[] }> {
    await this.#prepare();
    await this.#ask(act);
    await this.#ended(act);
    // The second look is the end: nothing changes any more by itself.
    let end = await this.#look(act);
    for (let settled = false; !settled; ) {
      await delay(1_000);
      const next = await this.#look(act);
      settled = differences(end, next).length === 0;
      end = next;
    }
    return { end, points: await this.#points() };
  }

  /** Plays an act with a disturbance. @throws NotTheSame with what is otherwise in the end. */
  async disturbed(act: Act, expected: Look, { point, disturbance }: Disturbed): Promise<void> {
    await this.#prepare();
    const effect = disturbance === 'kill' ? 'kill' : 'hold';
    await writeFile(join(this.#faults, faultFile), JSON.stringify({ ...point, effect }));
    await this.#ask(act);
    if (disturbance === 'kill') await this.#until('the agent ends itself', () => this.#isGone(faultFile));
    else {
      await this.#until('the agent stands still', async () => !(await this.#isGone(heldFile)));
      await this.host.power('outage');
      await this.host.power('on');
    }
    await this.#same(act, expected);
  }

  /** Plays an act undisturbed, for the next one to have its start. @throws NotTheSame where it does not end. */
  async undisturbed(act: Act, { told }: Look): Promise<void> {
    await this.#prepare();
    await this.#ask(act);
    await this.#ended(act);
    await this.#sameTold(told);
  }

  async #same(act: Act, expected: Look): Promise<void> {
    await this.#ended(act);
    await this.#sameTold(expected.told);
    await this.#soon(async () => differencesOnHost(expected.host, await this.#lookAtHost(act)));
    // What is on the host is as it was without anything that the agent had to put right meanwhile.
    await this.#sameTold(expected.told);
  }

  async #sameTold(expected: Told): Promise<void> {
    await this.#soon(async () => differencesOfLines(expected, await this.#lookAtTold()));
  }

  /** Waits a moment until there is no difference. */
  async #soon(differences: () => Promise<string[]>): Promise<void> {
    const deadline = Date.now() + sameWithinMs;
    for (;;) {
      const found = await differences();
      if (found.length === 0) return;
      if (Date.now() > deadline) throw new NotTheSame(found.join('\n'));
      await delay(100);
    }
  }

  async #prepare(): Promise<void> {
    // Where the cell before ended in the middle.
    if (!this.host.isOn) await this.host.power('on');
    for (const file of [traceFile, faultFile, heldFile]) await rm(join(this.#faults, file), { force: true });
  }

  async #ask(act: Act): Promise<void> {
    const entry = entryOf(act, this.artifact, this.#uids);
    await this.#client.apply(
      Machine,
      { metadata: { name: this.host.name }, spec: { components: [entry] } },
      { fieldManager: 'crash-matrix', force: true },
    );
  }

  async #ended(act: Act): Promise<void> {
    const journal = join(this.host.rootfs, `/var/lib/kubenode/journal/${this.#component}.json`);
    let seen: unknown;
    await this.#until(
      `${act.name} ended`,
      async () => {
        const machine = await this.#client.get(Machine, this.host.name);
        const status = machine?.status?.components?.find(({ name }) => name === this.#component);
        seen = status;
        if (machine?.status?.disruption !== undefined) return false;
        return isEnded(act, this.artifact, status) && (await isMissing(journal));
      },
      () => seen,
    );
  }

  async #look(act: Act): Promise<Look> {
    return { told: await this.#lookAtTold(), host: await this.#lookAtHost(act) };
  }
  async #lookAtTold(): Promise<Told> {
    return lookAtTold(this.host, await this.#client.get(Machine, this.host.name));
  }
  async #lookAtHost(act: Act): Promise<Look['host']> {
    const runs = act.leaves !== undefined && !['files', 'agent'].includes(this.artifact);
    return lookAtHost(this.host, runs ? this.#component : undefined);
  }

  /** Gives the leave that the agent asks for, as the disruption controller does: a new one for each boot. Takes it back afterwards. */
  async #giveLeave(): Promise<void> {
    const machine = await this.#client.get(Machine, this.host.name);
    const asks = machine?.status?.components?.find(({ name }) => name === this.#component)?.asks;
    const { disruption, host } = machine?.status ?? {};
    const id = asks === undefined ? undefined : `${asks} in boot ${host?.bootID}`;
    if (disruption?.id === id) return;
    const granted = {
      kind: asks,
      state: 'Granted',
      id,
      since: new Date().toISOString(),
    } as MachineDisruption;
    await this.#client.apply(
      Machine,
      {
        metadata: { name: this.host.name },
        status: id === undefined ? {} : { disruption: granted },
      },
      { fieldManager: 'crash-matrix-leave', force: true, subresource: 'status' },
    );
  }

  async #points(): Promise<FaultPoint[]> {
    const text = await readFile(join(this.#faults, traceFile), 'utf8');
    const all = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as FaultPoint);
    return all.filter(({ component }) => component === this.#component);
  }

  get #component(): string {
    return componentName(this.artifact);
  }

  async #isGone(file: string): Promise<boolean> {
    return isMissing(join(this.#faults, file));
  }

  async #until(what: string, look: () => Promise<boolean>, seen?: () => unknown): Promise<void> {
    const deadline = Date.now() + deadlineMs;
    while (!(await look())) {
      if (this.artifact === 'reboot') await this.#giveLeave();
      if (Date.now() > deadline)
        throw new NotTheSame(
          `not in ${deadlineMs / 1000} s: ${what}${seen ? `\n${JSON.stringify(seen())}` : ''}`,
        );
      await delay(50);
    }
  }
}

async function isMissing(path: string): Promise<boolean> {
  return await stat(path).then(
    () => false,
    () => true,
  );
}

function differences(a: Look, b: Look): string[] {
  return [...differencesOfLines(a.told, b.told), ...differencesOnHost(a.host, b.host)];
}
