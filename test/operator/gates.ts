/** What a rollout says of gates and budgets that can never let it go on: in its status, with what to do. */
import assert from 'node:assert/strict';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import type { Inspection, MachineComponentSetStatus, Rollout } from '@kubenode/api';
import { MachineComponent, MachineComponentSet, NodeDisruptionBudget } from '@kubenode/machine';
import { type Cluster, eventually } from './cluster.ts';

interface Case {
  readonly name: string;
  readonly inspection: (url: string) => Pick<Inspection, 'type' | 'prometheus' | 'web'>;
  /** Longer than an answer may take, for one that never comes. */
  readonly deadline: string;
  readonly cause: NonNullable<MachineComponentSetStatus['halted']>['cause'];
  readonly says: RegExp;
}

const asks =
  (path: string, query = 'sum(up)') =>
  (url: string): ReturnType<Case['inspection']> => ({
    type: 'Prometheus',
    prometheus: { url: `${url}${path}`, query, min: '1' },
  });
const inconclusive = { deadline: '3s', cause: 'InspectionInconclusive' } as const;

const cases: readonly Case[] = [
  {
    name: 'broken',
    inspection: asks('/broken', 'sum(up'),
    ...inconclusive,
    says: /cannot read prometheus\.query: 1:7: parse error: unclosed left parenthesis/,
  },
  {
    name: 'nan',
    inspection: asks('/nan'),
    ...inconclusive,
    says: /prometheus\.query gives NaN.*too little data/,
  },
  { name: 'two', inspection: asks('/two'), ...inconclusive, says: /gives 2 series, not one; aggregate it/ },
  {
    name: 'none',
    inspection: asks('/none'),
    ...inconclusive,
    says: /finds no series; where none is good, add/,
  },
  {
    name: 'down',
    inspection: () => asks('')('http://127.0.0.1:1'),
    ...inconclusive,
    says: /http:\/\/127\.0\.0\.1:1 cannot be asked: nothing listens there; start it, or correct url/,
  },
  {
    name: 'slow',
    inspection: asks('/slow'),
    ...inconclusive,
    deadline: '11s',
    says: /did not answer within 10s; see what keeps it busy/,
  },
  {
    name: 'web',
    inspection: (url) => ({ type: 'Web', web: { url: `${url}/refused`, method: 'POST' } }),
    deadline: '3s',
    cause: 'InspectionFailed',
    says: /answers 409: login is slower than before/,
  },
];

const series = (...values: string[]): string =>
  JSON.stringify({
    status: 'success',
    data: { resultType: 'vector', result: values.map((value) => ({ metric: {}, value: [0, value] })) },
  });

function answer(path: string, response: ServerResponse): void {
  const error = '1:7: parse error: unclosed left parenthesis';
  const answers: Readonly<Record<string, () => void>> = {
    broken: () =>
      response.writeHead(400).end(JSON.stringify({ status: 'error', errorType: 'bad_data', error })),
    nan: () => response.end(series('NaN')),
    two: () => response.end(series('1', '1')),
    none: () => response.end(series()),
    slow: () => undefined,
    refused: () => response.writeHead(409).end('login is slower than before'),
  };
  answers[path.split('/')[1] ?? '']?.();
}

/** Told of a set once it holds. */
type Told = MachineComponentSetStatus | undefined;

/** @param cluster with machines whose agents do as they are told */
export function gateStories(cluster: () => Cluster): void {
  const told = (set: string, what: string, holds: (status: Told) => boolean): Promise<Told> =>
    eventually(
      `${set}: ${what}`,
      async () => (await cluster().admin.get(MachineComponentSet, set))?.status,
      holds,
    );
  const remove = (set: string): Promise<unknown> => cluster().admin.delete(MachineComponentSet, set);

  describe('a gate that cannot be passed stops the rollout, and says what to do', () => {
    const server = createServer((request, response) => answer(request.url ?? '', response));
    before(async () => {
      await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      for (const { name, inspection, deadline } of cases) {
        await cluster().revision(`${name}-1`);
        const inspections = [{ name: 'gate', deadline, ...inspection(url) }];
        await cluster().set(name, { revision: `${name}-1`, rollout: { batches: [1], inspections } });
      }
    });
    after(async () => {
      for (const { name } of cases) await remove(name);
      server.closeAllConnections();
      server.close();
    });
    for (const { name, cause, says } of cases) {
      test(name, async () => {
        const status = await told(name, 'halted', (seen) => seen?.halted !== undefined);
        assert.equal(status?.halted?.cause, cause);
        assert.match(status.halted.message, says);
        assert.match(status.batch?.reason ?? '', says);
        assert.equal(status.updated, 1);
        const ready = status.conditions?.find(({ type }) => type === 'Ready');
        assert.equal(ready?.status, 'False');
        assert.match(ready.message, says);
      });
    }
  });

  describe('what cannot begin says why', () => {
    after(async () => {
      for (const set of ['zone', 'later', 'budgeted']) await remove(set);
    });
    const begins = async (set: string, rollout: Partial<Rollout>): Promise<void> => {
      await cluster().revision(`${set}-1`);
      await cluster().set(set, { revision: `${set}-1`, rollout });
    };

    test('a window of a time zone that nobody knows', async () => {
      const windows = [{ from: '00:00', to: '23:59', timeZone: 'Asia/Beijing' }];
      await begins('zone', { windows });
      const status = await told('zone', 'waits', (seen) => /windows/.test(seen?.batch?.reason ?? ''));
      assert.match(
        status?.batch?.reason ?? '',
        /spec\.rollout\.windows\[0\]\.timeZone is "Asia\/Beijing".*give an IANA name such as Asia\/Shanghai/,
      );
      assert.equal(status?.updated ?? 0, 0);
    });

    test('a window that opens tomorrow', async () => {
      const days = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'] as const;
      const tomorrow = days[(new Date().getUTCDay() + 2) % 7] ?? 'Sun';
      await begins('later', { windows: [{ days: [tomorrow], from: '10:00', to: '11:00', timeZone: 'UTC' }] });
      const status = await told('later', 'waits', (seen) => /windows/.test(seen?.batch?.reason ?? ''));
      assert.match(status?.batch?.reason ?? '', /outside its windows; the next batch begins at .*T10:00:00/);
      assert.match(status?.batch?.until ?? '', /T10:00:00/);
    });

    test('a budget that allows nothing, until it does', async () => {
      const revision = async (name: string): Promise<void> => {
        const [component = '', version = ''] = name.split('-');
        const unit = { name: `${component}.service`, content: '[Service]\nExecStart=/bin/true\n' };
        await cluster().admin.apply(
          MachineComponent,
          { metadata: { name }, spec: { component, version, unit, disruption: 'Restart' } },
          { fieldManager: 'test' },
        );
      };
      const allow = (atOnce: number): Promise<unknown> =>
        cluster().admin.patch(NodeDisruptionBudget, 'default', {
          type: 'merge',
          body: { spec: { concurrent: { cluster: atOnce } } },
        });
      await revision('budgeted-1');
      await revision('budgeted-2');
      await cluster().set('budgeted', { revision: 'budgeted-1', rollout: { batches: ['100%'] } });
      await cluster().rolledOut('budgeted');
      await allow(0);
      await cluster().set('budgeted', { revision: 'budgeted-2', rollout: { batches: ['100%'] } });
      const status = await told('budgeted', 'is denied', (seen) => /budget/.test(seen?.batch?.reason ?? ''));
      assert.match(status?.batch?.reason ?? '', /^the disruption budget: .*spec\.concurrent\.cluster/);
      assert.equal(status?.updated ?? 0, 0);
      await allow(1);
      await cluster().rolledOut('budgeted');
    });
  });
}
