/** The NodeDisruptionBudget, asked by several processes at once, on any control plane. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { Machine, NodeDisruptionBudget } from '@kubenode/machine';
import { createClient, informer, silentLogger } from '@kubenode/runtime';
import type { Budget } from '../../packages/machine/src/budget/budget.ts';
import { budgetController } from '../../packages/machine/src/budget/controller.ts';
import { type Cluster, eventually } from './cluster.ts';

/** A process that asks, with copies of its own. */
interface Asker {
  readonly budget: Budget;
  stop(): Promise<void>;
}

const limits = {
  starts: { perMinute: 1000, perHour: 1000 },
  concurrent: { cluster: 100, perZone: 100 },
  maxUnhealthy: '100%',
} as const;

export function budgetStories(running: () => Cluster): void {
  const askers: Asker[] = [];
  after(() => Promise.all(askers.map((asker) => asker.stop())));

  const asker = (): Asker => {
    const client = createClient(running().connection);
    const stop = new AbortController();
    const machines = informer({ client, kind: Machine, project: (machine) => machine });
    const budgets = informer({ client, kind: NodeDisruptionBudget, project: (budget) => budget });
    const events = {
      name: 'none',
      run: async () => undefined,
      event: () => undefined,
      flush: async () => undefined,
    };
    const budget = budgetController({ client, caches: { machines, budgets }, events, log: silentLogger });
    const ended = Promise.all([machines, budgets, budget].map((part) => part.run(stop.signal)));
    const made = {
      budget,
      async stop() {
        stop.abort();
        await ended;
        client.close();
      },
    };
    askers.push(made);
    return made;
  };
  const stored = async () => {
    const found = await running().admin.get(NodeDisruptionBudget, 'default');
    if (found === undefined) throw new Error('the budget is not there');
    return found;
  };
  /** Asks until the answer no longer depends on who was faster. */
  const take = async ({ budget }: Asker, holder: string, machine: string): Promise<string> => {
    for (;;) {
      const changed = new Promise<void>((resolve) => budget.onChange(resolve));
      const reservation = budget.reserve([{ holder, machine, kind: 'Restart' }], Date.now());
      if (reservation.denied === undefined) {
        if (await reservation.written(running().signal)) return 'granted';
      } else if (/not read/.test(reservation.denied.message)) await changed;
      else return reservation.denied.limit;
    }
  };

  test('the budget is there by itself, and open in a cluster where nothing was ever moved', async () => {
    const budget = await eventually(
      'the ledger has begun',
      () => running().admin.get(NodeDisruptionBudget, 'default'),
      (found) => found?.status?.since !== undefined,
    );
    assert.equal(budget?.status?.deniedUntil, undefined);
  });

  describe('a ledger', () => {
    test('no coin is spent twice, whoever asks at the same time', async () => {
      const { admin } = running();
      const before = (await stored()).status?.day?.reduce((sum, { starts }) => sum + starts, 0) ?? 0;
      const spec = { ...limits, starts: { ...limits.starts, perDay: before + 7 } };
      await admin.patch(NodeDisruptionBudget, 'default', { type: 'merge', body: { spec } });
      const both = [asker(), asker()];
      const answers = await Promise.all(
        both.flatMap((one, process) =>
          Array.from({ length: 10 }, (_, n) => take(one, `set/race${process}`, `x${n}`)),
        ),
      );
      const granted = answers.filter((answer) => answer === 'granted').length;
      assert.equal(granted, 7);
      assert.ok(
        answers.every((answer) => answer === 'granted' || answer === 'starts.perDay'),
        String(answers),
      );
      const { status } = await stored();
      assert.equal(
        status?.day?.reduce((sum, { starts }) => sum + starts, 0),
        before + 7,
      );
      assert.equal(status.grants?.filter(({ holder }) => holder.startsWith('set/race')).length, granted);
    });

    test('a new process finds it spent, and the grants in force', async () => {
      await Promise.all(askers.splice(0).map((one) => one.stop()));
      const { status } = await stored();
      const again = asker();
      assert.equal(await take(again, 'set/other', 'y1'), 'starts.perDay');
      const [grant] = status?.grants ?? [];
      assert.ok(grant);
      assert.equal(await take(again, grant.holder, grant.machine), 'granted');
      assert.equal(again.budget.held(grant.holder).has(grant.machine), true);
    });

    test('what is given back is gone from it', async () => {
      const [one] = askers;
      const { grants = [] } = (await stored()).status ?? {};
      for (const { holder, machine } of grants) one?.budget.release(holder, machine);
      await eventually('no grant is left', stored, ({ status }) => status?.grants === undefined);
    });

    test('cleared by hand or deleted, where machines were moved before, it is closed for an hour', async () => {
      const { admin } = running();
      const isClosed = async (): Promise<void> => {
        const { status } = await eventually(
          'the ledger is closed',
          () => admin.get(NodeDisruptionBudget, 'default'),
          (budget) => budget?.status?.deniedUntil !== undefined,
        ).then((budget) => budget ?? { status: undefined });
        const hour = Date.parse(status?.deniedUntil ?? '') - Date.now();
        assert.ok(hour > 3_500_000 && hour <= 3_600_000, String(hour));
        assert.equal(status?.conditions?.find(({ type }) => type === 'Ready')?.reason, 'LedgerCleared');
      };
      const { status: _, ...rest } = await stored();
      await admin.update(NodeDisruptionBudget, { ...rest, status: {} }, { subresource: 'status' });
      await isClosed();
      await admin.delete(NodeDisruptionBudget, 'default');
      await isClosed();
      const fresh = asker();
      assert.equal(await take(fresh, 'set/other', 'y1'), 'ledger');
      // A person who knows better opens it.
      const body = { status: { deniedUntil: null } };
      await admin.patch(NodeDisruptionBudget, 'default', { type: 'merge', body }, { subresource: 'status' });
      await eventually(
        'it is open',
        stored,
        ({ status }) => status?.conditions?.find(({ type }) => type === 'Ready')?.status === 'True',
      );
    });
  });
}
