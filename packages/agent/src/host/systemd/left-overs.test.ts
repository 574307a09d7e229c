import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { test } from 'node:test';

import { SystemdBus } from './bus.ts';
import { FakeSystemd } from './fake-systemd.ts';
import { endLeftOvers, isLost } from './left-overs.ts';
import { list, text } from './message.ts';
import type { DBusValue } from './signature.ts';
import { Variant } from './signature.ts';

const job = '/org/freedesktop/systemd1/job/7';
const scope = 'kubenode-left-over-logger.scope';

interface World {
  readonly killMode?: string;
  readonly mainPID?: number;
  readonly active?: string;
  readonly scopeActive?: string;
  /** Of the processes that are still there, by asking. */
  readonly processes: number[][];
}

/** A systemd that has lost logger.service. @returns what it was told to do. */
async function lost(t: TestContext, world: World): Promise<{ bus: SystemdBus; told: string[] }> {
  const fake = await FakeSystemd.start(t);
  const bus = new SystemdBus({ sockets: [{ path: fake.socket, direct: true }] });
  t.after(() => bus.close());
  const told: string[] = [];
  const asked = [...world.processes];
  const variant = (signature: string, value: DBusValue) =>
    ({ signature: 'v', body: [new Variant(signature, value)] }) as const;
  const row = (unit: string, active: string): DBusValue => [
    unit,
    '',
    'loaded',
    active,
    'dead',
    '',
    '/',
    0,
    '',
    '/',
  ];
  fake.answer = (member, body) => {
    if (member === 'ListUnitsByNames') {
      const rows = [
        row('logger.service', world.active ?? 'inactive'),
        row(scope, world.scopeActive ?? 'inactive'),
      ];
      return { signature: 'a(ssssssouso)', body: [rows] };
    }
    if (member === 'GetUnitProcesses')
      return { signature: 'a(sus)', body: [(asked.shift() ?? []).map((pid) => ['/logger', pid, 'logger'])] };
    if (member === 'Get' && body[1] === 'KillMode') return variant('s', world.killMode ?? 'control-group');
    if (member === 'Get' && body[1] === 'MainPID') return variant('u', world.mainPID ?? 7);
    if (member === 'StartTransientUnit' || member === 'StopUnit') {
      const pids = list(body[2] ?? []).flatMap((setting) => {
        const [name, value] = list(setting);
        return name === 'PIDs' && value instanceof Variant ? list(value.value).map(Number) : [];
      });
      told.push(`${member} ${text(body[0])} ${pids.join(' ')}`.trim());
      setImmediate(() => fake.signal('JobRemoved', 'uoss', [7, job, text(body[0]), 'done']));
      return { signature: 'o', body: [job] };
    }
    if (member !== 'Subscribe' && member !== 'ResetFailedUnit') told.push(member);
    return undefined;
  };
  return { bus, told };
}

test('what is left of a stopped service is moved into a scope and stopped there, never killed in its place', async (t) => {
  const { bus, told } = await lost(t, { processes: [[7, 8], [9]] });
  await endLeftOvers(bus, 'logger.service');
  assert.deepEqual(told, [
    `StartTransientUnit ${scope} 7 8`,
    `StopUnit ${scope}`,
    `StartTransientUnit ${scope} 9`,
    `StopUnit ${scope}`,
  ]);
});

test('of a service whose processes may outlive it only the main process is ended', async (t) => {
  const { bus, told } = await lost(t, {
    killMode: 'process',
    mainPID: 8,
    processes: [
      [7, 8, 9],
      [7, 9],
    ],
  });
  await endLeftOvers(bus, 'logger.service');
  assert.deepEqual(told, [`StartTransientUnit ${scope} 8`, `StopUnit ${scope}`]);
});

test('a service that runs, and one of which nothing is left, is left alone', async (t) => {
  const running = await lost(t, { active: 'active', processes: [[7]] });
  await endLeftOvers(running.bus, 'logger.service');
  assert.deepEqual(running.told, []);
  const clean = await lost(t, { processes: [] });
  await endLeftOvers(clean.bus, 'logger.service');
  assert.deepEqual(clean.told, []);
});

test('what an agent that was killed has moved is stopped by the next one', async (t) => {
  const { bus, told } = await lost(t, { scopeActive: 'active', processes: [] });
  await endLeftOvers(bus, 'logger.service');
  assert.deepEqual(told, [`StopUnit ${scope}`]);
});

test('a service is lost where it is stopped and systemd has not seen its main process end', async (t) => {
  const verdict = async (world: World): Promise<boolean> =>
    isLost((await lost(t, world)).bus, 'logger.service');
  assert.equal(await verdict({ mainPID: 7, processes: [[7, 8]] }), true);
  assert.equal(
    await verdict({ mainPID: 7, processes: [] }),
    true,
    'moved and ended by an agent that was killed then',
  );
  assert.equal(await verdict({ mainPID: 7, active: 'active', processes: [[7]] }), false, 'it runs');
  assert.equal(await verdict({ mainPID: 0, processes: [[8]] }), false, 'stopped, and what may outlive it');
});
