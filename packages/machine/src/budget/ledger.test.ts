import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { NodeDisruptionBudgetSpec, NodeDisruptionBudgetStatus } from '@kubenode/api';
import { timestamp } from '@kubenode/runtime';
import type { Want } from './budget.ts';
import { draw, giveBack, keyOfGrant, settle } from './ledger.ts';
import type { Counts } from './limits.ts';

const noon = Date.UTC(2026, 0, 5, 12);
const minute = 60_000;
const hour = 60 * minute;

type Limits = Partial<Omit<NodeDisruptionBudgetSpec, 'starts' | 'concurrent'>> & {
  readonly starts?: Partial<NodeDisruptionBudgetSpec['starts']>;
  readonly concurrent?: Partial<NodeDisruptionBudgetSpec['concurrent']>;
};

function limits({ starts, concurrent, ...rest }: Limits = {}): NodeDisruptionBudgetSpec {
  return {
    starts: { perMinute: 1000, perHour: 1000, perDay: 1000, ...starts },
    concurrent: { cluster: '100%', perZone: '100%', ...concurrent },
    zoneLabel: 'zone',
    maxUnhealthy: '20%',
    grantTimeout: '1h',
    windows: [],
    drain: { timeout: '10m', onTimeout: 'Abort', emptyDir: 'Delete' },
    ...rest,
  };
}

/** Machines m0, m1... of which the even ones are in zone a and the others in b. */
function fleet(machines: number, unhealthy: readonly string[] = [], everMoved = true): Counts {
  const zoneOf = (machine: string): string => (Number(machine.slice(1)) % 2 === 0 ? 'a' : 'b');
  return {
    machines,
    unhealthy: unhealthy.length,
    isUnhealthy: (machine) => unhealthy.includes(machine),
    zoneOf,
    inZone: (zone) => (zone === 'a' ? Math.ceil(machines / 2) : Math.floor(machines / 2)),
    everMoved,
  };
}

function wants(...machines: number[]): Want[] {
  return machines.map((n) => ({ holder: `machine/m${n}`, machine: `m${n}`, kind: 'Drain' as const }));
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);
const open: NodeDisruptionBudgetStatus = { since: timestamp(noon - 24 * hour) };

describe('starts', () => {
  test('never more in any minute than allowed, wherever the minute begins', () => {
    const spec = limits({ starts: { perMinute: 3 } });
    let status = open;
    const begun: number[] = [];
    for (let second = 0; second < 600; second += 1) {
      const now = noon + second * 1000;
      const drawn = draw(spec, status, fleet(5000), wants(second), now);
      status = drawn.status;
      if (drawn.granted.length > 0) begun.push(second);
    }
    for (const from of begun) assert.ok(begun.filter((at) => at >= from && at < from + 60).length <= 3);
    // A bucket of ten seconds counts until it is out of the minute whole, so the price of counting roughly is small.
    assert.ok(begun.length >= 24, String(begun));
  });

  test('a denial names the limit, how far it is used, and the moment from which it holds no longer', () => {
    const spec = limits({ starts: { perHour: 2 } });
    const first = draw(spec, open, fleet(100), wants(1, 2, 3), noon);
    assert.deepEqual(first.granted, ['m1', 'm2']);
    assert.equal(first.denied?.limit, 'starts.perHour');
    assert.match(
      first.denied.message,
      /^2 of 2 disruptions began in the last hour; the next may begin at 2026-01-05T13:01:00Z/,
    );
    const until = first.denied.until ?? 0;
    assert.deepEqual(draw(spec, first.status, fleet(100), wants(3), until - 1000).granted, []);
    assert.deepEqual(draw(spec, first.status, fleet(100), wants(3), until).granted, ['m3']);
  });

  test('0 forbids for ever, and says what to change', () => {
    const { denied } = draw(limits({ starts: { perDay: 0 } }), open, fleet(100), wants(1), noon);
    assert.deepEqual([denied?.limit, denied?.until], ['starts.perDay', undefined]);
    assert.match(denied?.message ?? '', /raise spec\.starts\.perDay/);
  });

  test('lists stay within the bounds of the schema through a day of starts', () => {
    let status = open;
    const spec = limits({ starts: { perMinute: 9999, perHour: 9999, perDay: 9999 } });
    for (let at = noon; at < noon + 26 * hour; at += 10_000) {
      status = draw(
        spec,
        giveBack(status, new Set([keyOfGrant({ holder: 'machine/m1', machine: 'm1' })])),
        fleet(9),
        wants(1),
        at,
      ).status;
    }
    assert.deepEqual([status.minute?.length, status.hour?.length, status.day?.length], [7, 61, 49]);
    assert.equal(status.grants?.length, 1);
  });
});

describe('at once', () => {
  test('percentages are rounded up, so a small fleet is not locked', () => {
    const spec = limits({ concurrent: { cluster: '10%' } });
    assert.deepEqual(draw(spec, open, fleet(3), wants(0, 1), noon).granted, ['m0']);
    assert.deepEqual(draw(spec, open, fleet(11), wants(0, 1, 2), noon).granted, ['m0', 'm1']);
    assert.deepEqual(
      draw(limits({ concurrent: { cluster: '0%' } }), open, fleet(11), wants(0), noon).granted,
      [],
    );
  });

  test('a zone that is full does not hold up another', () => {
    const { granted, denied } = draw(
      limits({ concurrent: { perZone: 1 } }),
      open,
      fleet(10),
      wants(0, 2, 1, 3),
      noon,
    );
    assert.deepEqual(granted, ['m0', 'm1']);
    assert.equal(denied?.limit, 'concurrent.perZone');
    assert.match(denied.message, /1 of 1 machines in zone a/);
  });

  test('asking twice costs once, and a second holder of the same machine takes no second place', () => {
    const spec = limits({ concurrent: { cluster: 1 }, starts: { perHour: 2 } });
    const first = draw(spec, open, fleet(10), wants(1), noon);
    const again = draw(spec, first.status, fleet(10), wants(1), noon + minute);
    assert.deepEqual([again.granted, again.fresh], [['m1'], []]);
    const other: Want = { holder: 'set/a', machine: 'm1', kind: 'Restart' };
    const second = draw(spec, again.status, fleet(10), [other, ...wants(2)], noon + minute);
    assert.deepEqual(second.granted, ['m1']);
    assert.equal(second.denied?.limit, 'starts.perHour');
  });

  test('a place is free again when it is given back, and when the grant has run out', () => {
    const spec = limits({ concurrent: { cluster: 1 } });
    const first = draw(spec, open, fleet(10), wants(1), noon);
    assert.equal(
      draw(spec, first.status, fleet(10), wants(2), noon + 59 * minute).denied?.limit,
      'concurrent.cluster',
    );
    assert.deepEqual(draw(spec, first.status, fleet(10), wants(2), noon + hour).granted, ['m2']);
    const returned = giveBack(first.status, new Set([keyOfGrant({ holder: 'machine/m1', machine: 'm1' })]));
    assert.deepEqual(draw(spec, returned, fleet(10), wants(2), noon + minute).granted, ['m2']);
  });

  test('the ledger takes no more grants than it has room for', () => {
    const spec = limits({ starts: { perMinute: 5000, perHour: 5000, perDay: 5000 } });
    const { status, granted, denied } = draw(spec, open, fleet(5000), wants(...range(0, 1100)), noon);
    assert.deepEqual(
      [granted.length, status.grants?.length, denied?.limit],
      [1024, 1024, 'concurrent.cluster'],
    );
  });
});

describe('health', () => {
  const ill = range(0, 3).map((n) => `m${n}`);

  test('nothing begins where more machines are unhealthy than allowed', () => {
    const { granted, denied } = draw(limits(), open, fleet(10, ill), wants(5), noon);
    assert.deepEqual([granted, denied?.limit], [[], 'maxUnhealthy']);
    assert.match(
      denied?.message ?? '',
      /3 of 10 machines are not Ready, and spec\.maxUnhealthy 20% allows 2/,
    );
    assert.deepEqual(draw(limits({ maxUnhealthy: 3 }), open, fleet(10, ill), wants(5), noon).granted, ['m5']);
  });

  test('a machine that is disrupted by a grant is not held against the next', () => {
    const first = draw(limits(), open, fleet(10), wants(0), noon);
    assert.deepEqual(draw(limits(), first.status, fleet(10, ill), wants(5), noon).granted, ['m5']);
  });
});

describe('windows', () => {
  test('outside of them nothing begins, until the next one opens', () => {
    const spec = limits({ windows: [{ days: ['Mon'], from: '22:00', to: '02:00', timeZone: 'UTC' }] });
    const { denied } = draw(spec, open, fleet(10), wants(1), noon);
    assert.deepEqual([denied?.limit, denied?.until], ['windows', Date.UTC(2026, 0, 5, 22)]);
    assert.deepEqual(draw(spec, open, fleet(10), wants(1), Date.UTC(2026, 0, 6, 1)).granted, ['m1']);
  });

  test('a time zone that does not exist closes them, and is named', () => {
    const spec = limits({ windows: [{ from: '00:00', to: '23:59', timeZone: 'Mars/Base' }] });
    assert.match(draw(spec, open, fleet(10), wants(1), noon).denied?.message ?? '', /Mars\/Base/);
  });
});

describe('a ledger that is missing or was cleared', () => {
  test('denies for an hour, counted from when it was found so', () => {
    const found = settle(undefined, true, noon);
    const { granted, denied, status } = draw(limits(), found, fleet(10), wants(1), noon + 59 * minute);
    assert.deepEqual([granted, denied?.limit, denied?.until], [[], 'ledger', noon + hour]);
    assert.deepEqual(draw(limits(), status, fleet(10), wants(1), noon + hour).granted, ['m1']);
  });

  test('begins open where no machine was ever moved', () => {
    assert.deepEqual(draw(limits(), undefined, fleet(10, [], false), wants(1), noon).granted, ['m1']);
  });
});

describe('a clock that goes back', () => {
  const spec = limits({ starts: { perHour: 1 }, concurrent: { cluster: 5 } });
  const ahead = draw(spec, open, fleet(10), wants(1), noon + 10 * 365 * 24 * hour).status;

  test('refills nothing', () => {
    assert.equal(draw(spec, ahead, fleet(10), wants(2), noon).denied?.limit, 'starts.perHour');
  });

  test('and wedges nothing: what was in the future counts from now', () => {
    const settled = settle(ahead, true, noon);
    const later = draw(spec, settled, fleet(10), wants(2), noon + hour + 2 * minute);
    assert.deepEqual(later.granted, ['m2']);
    assert.deepEqual(
      later.status.grants?.map(({ machine }) => machine),
      ['m2'],
    );
    const closed = settle({ ...open, deniedUntil: timestamp(noon + 9000 * hour) }, true, noon);
    assert.equal(closed.deniedUntil, timestamp(noon + hour));
  });
});

describe('denials', () => {
  test('are kept one for each holder, and gone with the next grant', () => {
    const spec = limits({ concurrent: { cluster: 1 } });
    const full = draw(spec, open, fleet(100), wants(...range(0, 50)), noon);
    assert.equal(full.status.denials?.length, 32);
    assert.equal(full.newlyDenied.size, 32);
    const again = draw(spec, full.status, fleet(100), wants(...range(0, 50)), noon + minute);
    assert.deepEqual(again.status, full.status);
    assert.equal(again.newlyDenied.size, 0);
    const returned = giveBack(again.status, new Set(['machine/m0 m0']));
    const served = draw(spec, returned, fleet(100), wants(1), noon + minute);
    assert.equal(
      served.status.denials?.some(({ holder }) => holder === 'machine/m1'),
      false,
    );
  });
});
