import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MachineComponentSpec } from '@kubenode/api';
import { desired, spec } from '../testing/stories.ts';
import { type ComponentDecision, decide, type DecideInput } from './decide.ts';
import { type Goal, resolveGoal } from './goal.ts';
import type { Applied, ComponentRecord } from './operation.ts';

const facts = {
  os: 'linux',
  osName: 'Debian',
  osVersion: '12',
  kernel: '6.1',
  arch: 'amd64',
  machineID: 'm',
  bootID: 'b',
  hostname: 'h1',
  addresses: ['10.0.0.7'],
};

type Change = Parameters<typeof desired>[1];

function input(
  specs: readonly MachineComponentSpec[],
  change: Change = {},
  more: Partial<DecideInput> = {},
): DecideInput {
  const { machine, revisions } = desired(specs, change);
  return {
    machine,
    revisions: new Map(revisions.map((revision) => [revision.name, revision])),
    facts,
    records: new Map(),
    operations: new Map(),
    healthy: () => true,
    now: 1_000,
    ...more,
  };
}
/** A record of a component that is on the host as this spec says. */
function there(component: MachineComponentSpec, fields: Partial<ComponentRecord> = {}): ComponentRecord {
  const { machine, revisions } = desired([component]);
  const [entry] = machine.entries;
  const [revision] = revisions;
  assert.ok(entry && revision);
  const goal = resolveGoal(entry, revision, { machine, facts }) as Goal;
  const applied: Applied = { goal, files: goal.files, at: 0, foundVersion: '', proven: true };
  return { component: component.component, applied, stray: [], drift: { repaired: 0 }, ...fields };
}
function records(...list: readonly ComponentRecord[]): ReadonlyMap<string, ComponentRecord> {
  return new Map(list.map((record) => [record.component, record]));
}
/** What was decided, one line per component. */
function told(decisions: readonly ComponentDecision[]): readonly string[] {
  return decisions.map(({ component, decision }) => {
    if (decision.do === 'Wait') return `${component}: wait: ${decision.message}`;
    return `${component}: ${decision.do === 'Start' ? decision.kind : decision.do}`;
  });
}

const runc = spec({ component: 'runc', version: '1.1.12' });
const containerd = spec({
  component: 'containerd',
  version: '1.7.27',
  dependsOn: [{ component: 'runc', minVersion: '1.1.12' }],
});
const kubelet = spec({ component: 'kubelet', version: '1.36.3', dependsOn: [{ component: 'containerd' }] });

test('dependencies come first, and what needs them waits', () => {
  assert.deepEqual(told(decide(input([kubelet, containerd, runc]))), [
    'runc: Install',
    'containerd: wait: waiting for runc, which is not installed yet',
    'kubelet: wait: waiting for containerd, which is not installed yet',
  ]);
});

test('what is there and right is held', () => {
  const all = [runc, containerd, kubelet];
  const decisions = decide(input(all, {}, { records: records(...all.map((spec) => there(spec))) }));
  assert.deepEqual(told(decisions), ['runc: Hold', 'containerd: Hold', 'kubelet: Hold']);
});

test('what depends on a component that is unhealthy waits with its own change, and what is there stays', () => {
  const newer = { ...kubelet, version: '1.36.4' };
  const all = input(
    [runc, containerd, newer],
    {},
    {
      records: records(there(runc), there(containerd), there(kubelet)),
      healthy: (name) => name !== 'containerd',
    },
  );
  assert.deepEqual(told(decide(all)), [
    'runc: Hold',
    'containerd: Hold',
    'kubelet: wait: waiting for containerd, which is not healthy',
  ]);
});

test('a dependency on nothing blocks its component and no other', () => {
  const lost = { ...kubelet, dependsOn: [{ component: 'crio' }] };
  const [first, second] = told(decide(input([lost, runc])));
  assert.match(
    first ?? '',
    /kubelet: wait: MachineComponent kubelet-1.36.3 spec.dependsOn names crio, which is not assigned to this machine/,
  );
  assert.equal(second, 'runc: Install');
});

test('a circle of dependencies is named, and no other is blocked', () => {
  const a = spec({ component: 'a', version: '1', dependsOn: [{ component: 'b' }] });
  const b = spec({ component: 'b', version: '1', dependsOn: [{ component: 'a' }] });
  const lines = told(decide(input([a, b, runc])));
  assert.match(
    lines.join('\n'),
    /a: wait: the dependencies go in a circle: a -> b -> a. Take one of them out/,
  );
  assert.match(lines.join('\n'), /b: wait: the dependencies go in a circle/);
  assert.ok(lines.includes('runc: Install'));
});

test('a dependency that is too old, with none on its way, says what to do', () => {
  const old = { ...runc, version: '1.1.9' };
  const lines = told(decide(input([old, containerd], {}, { records: records(there(old)) })));
  assert.equal(
    lines[1],
    'containerd: wait: MachineComponent containerd-1.7.27 needs runc 1.1.12 or newer, and this machine has 1.1.9: move its set to a newer revision',
  );
});

test('a dependency that moves comes first', () => {
  const older = { ...runc, version: '1.1.9' };
  const lines = told(decide(input([runc, containerd], {}, { records: records(there(older)) })));
  assert.deepEqual(lines, [
    'runc: Install',
    'containerd: wait: waiting for runc 1.1.12: now 1.1.9, 1.1.12 is on its way',
  ]);
});

test('an entry that vanished, and a Machine that is gone, hold', () => {
  assert.deepEqual(told(decide(input([], {}, { records: records(there(runc)) }))), ['runc: Hold']);
  assert.deepEqual(told(decide({ ...input([]), machine: undefined, records: records(there(runc)) })), [
    'runc: Hold',
  ]);
});

test('a component is removed only when nothing that stays needs it', () => {
  const known = records(there(runc), there(containerd));
  const absent = { state: 'Absent' as const };
  assert.deepEqual(told(decide(input([runc, containerd], { runc: absent }, { records: known }))), [
    'runc: wait: containerd depends on it and has to be removed first',
    'containerd: Hold',
  ]);
  assert.deepEqual(
    told(decide(input([runc, containerd], { runc: absent, containerd: absent }, { records: known }))),
    ['runc: wait: containerd depends on it and has to be removed first', 'containerd: Remove'],
  );
  assert.deepEqual(
    told(
      decide(
        input([runc, containerd], { runc: absent, containerd: absent }, { records: records(there(runc)) }),
      ),
    ),
    ['runc: Remove', 'containerd: Hold'],
  );
});

test('a revision that was deleted and made again is refused', () => {
  const [line] = told(decide(input([runc], { runc: { revisionUID: 'another' } })));
  assert.match(line ?? '', /runc: wait: MachineComponent runc-1.1.12 was deleted and made again/);
});

test('no artifact for this host, and an unknown variable, are told with object and field', () => {
  const arm = {
    ...runc,
    artifacts: [
      {
        os: 'linux',
        arch: 'arm64',
        file: { url: 'http://x/r', digest: `sha256:${'0'.repeat(64)}`, path: '/usr/bin/r', mode: '0755' },
      },
    ],
  };
  assert.match(
    told(decide(input([arm])))[0] ?? '',
    /MachineComponent runc-1.1.12 spec.artifacts has none for linux\/amd64 \(only linux\/arm64\)/,
  );
  const file = {
    path: '/etc/r',
    mode: '0644',
    owner: 'root:root',
    onChange: 'None' as const,
    content: '{{ variables.disk }}',
  };
  assert.match(
    told(decide(input([{ ...runc, files: [file] }])))[0] ?? '',
    /spec.files \/etc\/r \(component runc\) uses the unknown variable variables.disk; there are: host.address/,
  );
});

test('a pair that failed and went back is left alone until revision or retryToken change', () => {
  const older = { ...runc, version: '1.1.9' };
  const failed = {
    revision: 'runc-1.1.12',
    goalKey: there(runc).applied?.goal.key ?? '',
    retryToken: '',
    step: 'probes',
    attempts: 1,
    at: 0,
    message: 'x',
  };
  const known = records(there(older, { failed }));
  assert.deepEqual(told(decide(input([runc], {}, { records: known }))), ['runc: Hold']);
  assert.deepEqual(told(decide(input([runc], { runc: { retryToken: 'again' } }, { records: known }))), [
    'runc: Install',
  ]);
  assert.deepEqual(told(decide(input([{ ...runc, version: '1.1.13' }], {}, { records: known }))), [
    'runc: Install',
  ]);
});

test('a failure with a next try waits for it', () => {
  const failed = {
    revision: 'runc-1.1.12',
    goalKey: there(runc).applied?.goal.key ?? '',
    retryToken: '',
    step: 'stage',
    attempts: 1,
    at: 0,
    message: 'no answer',
    retryAt: 5_000,
  };
  const known = records({ component: 'runc', stray: [], drift: { repaired: 0 }, failed });
  assert.deepEqual(told(decide(input([runc], {}, { records: known }))), ['runc: wait: no answer']);
  assert.deepEqual(told(decide(input([runc], {}, { records: known, now: 5_000 }))), ['runc: Install']);
});

test('a changed variable is a move', () => {
  const file = {
    path: '/etc/r',
    mode: '0644',
    owner: 'root:root',
    onChange: 'None' as const,
    content: '{{ variables.disk }}',
  };
  const templated = { ...runc, files: [file] };
  const { machine, revisions } = desired([templated], { runc: { variables: { disk: 'sda' } } });
  const [entry] = machine.entries;
  const [revision] = revisions;
  assert.ok(entry && revision);
  const goal = resolveGoal(entry, revision, { machine, facts }) as Goal;
  const record = {
    ...there(runc),
    applied: { goal, files: goal.files, at: 0, foundVersion: '', proven: true },
  };
  assert.deepEqual(
    told(decide(input([templated], { runc: { variables: { disk: 'sda' } } }, { records: records(record) }))),
    ['runc: Hold'],
  );
  assert.deepEqual(
    told(decide(input([templated], { runc: { variables: { disk: 'nvme' } } }, { records: records(record) }))),
    ['runc: Install'],
  );
});
