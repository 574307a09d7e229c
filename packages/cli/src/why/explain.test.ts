import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { at, condition, importOf, machine, now, set } from '../testing/objects.ts';
import { explain } from './explain.ts';
import type { Finding, Known } from './finding.ts';

function why(over: Partial<Known>): readonly Finding[] {
  return explain({
    name: 'n17',
    machine: machine(),
    import: undefined,
    sets: [set()],
    events: [],
    now,
    ...over,
  }).findings;
}
function only(findings: readonly Finding[]): Finding {
  assert.equal(findings.length, 1, JSON.stringify(findings));
  return findings[0] as Finding;
}

describe('why', () => {
  test('says nothing about a machine that is where it should be', () => {
    const found = explain({
      name: 'n17',
      machine: machine(),
      import: undefined,
      sets: [set()],
      events: [],
      now,
    });
    assert.ok(found.isWell);
    assert.match(found.summary, /n17 is where it should be: 1\/1 components are Ready/);
  });

  test('says that there is nothing of that name, and how to bring it in', () => {
    const finding = only(why({ machine: undefined }));
    assert.match(finding.why, /no Machine and no MachineImport/);
    assert.match(finding.help ?? '', /kubenode import USER@HOST --name n17/);
  });

  test('names the step of an import that failed, and when it is tried again', () => {
    const steps = [
      {
        name: 'Connect',
        state: 'Failed' as const,
        since: at,
        attempts: 3,
        message: '10.0.0.7 port 22 refuses connections. Tried again at 2026-03-01T10:02:20Z',
      },
    ];
    const conditions = [condition('Ready', 'False')];
    const finding = only(
      why({ machine: undefined, import: importOf({ status: { observedGeneration: 1, steps, conditions } }) }),
    );
    assert.equal(finding.what, 'import n17, step Connect');
    assert.equal(finding.why, '10.0.0.7 port 22 refuses connections');
    assert.equal(finding.at, '2026-03-01T10:02:20Z');
    assert.match(finding.help ?? '', /retry import\/n17/);
  });

  test('says that no operator takes notice of an import', () => {
    assert.match(only(why({ machine: undefined, import: importOf() })).why, /not taken notice/);
  });

  test('tells a silent agent from one that never came', () => {
    const conditions = [
      condition('AgentReady', 'True'),
      condition('Ready', 'Unknown', {
        reason: 'AgentUnreachable',
        message: 'Its agent has not reported for 3m',
      }),
    ];
    const silent = only(why({ machine: machine({ status: { ...machine().status, conditions } }) }));
    assert.equal(silent.what, 'agent');
    assert.match(silent.next, /as soon as the host is back/);
    const never = why({
      machine: machine({ spec: { components: [] }, status: { conditions: [] } }),
      sets: [],
    });
    assert.match(only(never).why, /not reported yet/);
  });

  test("says what a component waits for, in the agent's own words", () => {
    const components = [
      {
        name: 'containerd',
        state: 'Failed' as const,
        since: at,
        message: 'digest differs; again at 2026-03-01T10:05:00Z',
        running: 'containerd-1',
      },
    ];
    const conditions = [condition('AgentReady', 'True'), condition('Ready', 'False')];
    const finding = only(why({ machine: machine({ status: { components, conditions } }) }));
    assert.equal(finding.what, 'component containerd');
    assert.match(finding.why, /Failed: digest differs/);
    assert.match(finding.next, /containerd-1 runs/);
    assert.equal(finding.at, '2026-03-01T10:05:00Z');
    assert.match(finding.help ?? '', /retry set\/containerd/);
  });

  test('says that its turn in a rollout has not come, which batch it waits for, and until when', () => {
    const told = machine({
      spec: {
        components: [
          {
            name: 'containerd',
            revision: 'containerd-1',
            set: 'containerd',
            drift: 'Repair',
            state: 'Present',
          },
        ],
      },
    });
    const batch = {
      number: 1,
      size: 1,
      state: 'Observing' as const,
      until: '2026-03-01T10:10:00Z',
      reason: 'observation',
    };
    const finding = only(why({ machine: told, sets: [set({ status: { ...set().status, batch } })] }));
    assert.match(finding.why, /wants containerd-2, the machine is told containerd-1: observation/);
    assert.match(finding.next, /batch 1 \(1 machines, Observing\)/);
    assert.equal(finding.at, '2026-03-01T10:10:00Z');
  });

  test('says that a set is paused, and how it goes on', () => {
    const bare = machine({ spec: { components: [] }, status: { ...machine().status, components: [] } });
    const finding = only(why({ machine: bare, sets: [set({ spec: { paused: true } })] }));
    assert.match(finding.why, /paused/);
    assert.equal(finding.help, 'kubenode resume set/containerd');
  });

  test('names two sets that both want it', () => {
    const finding = only(why({ sets: [set(), set({ name: 'other' })] }));
    assert.match(finding.why, /containerd and other both select the machine, with priority 0/);
    assert.deepEqual(
      why({ sets: [set({ spec: { priority: 1 } }), set({ name: 'other', spec: { revision: 'x' } })] }),
      [],
    );
  });

  test('does not blame sets that do not select the machine', () => {
    assert.deepEqual(
      why({
        sets: [
          set(),
          set({ name: 'db', spec: { component: 'db', selector: { matchLabels: { pool: 'db' } } } }),
        ],
      }),
      [],
    );
  });

  test('says that drift is only reported', () => {
    const entry = {
      name: 'containerd',
      revision: 'containerd-2',
      set: 'containerd',
      drift: 'Report' as const,
      state: 'Present' as const,
    };
    const components = [
      {
        name: 'containerd',
        running: 'containerd-2',
        state: 'Degraded' as const,
        correct: { version: 'True' as const, config: 'False' as const, running: 'True' as const },
        drift: { last: { at, what: '/etc/containerd/config.toml: content' } },
      },
    ];
    const findings = why({
      machine: machine({ spec: { components: [entry] }, status: { ...machine().status, components } }),
      sets: [set({ spec: { drift: 'Report' } })],
    });
    assert.ok(
      findings.some(({ why: text }) =>
        text.includes('configuration not as declared (/etc/containerd/config.toml: content)'),
      ),
    );
    assert.ok(findings.every(({ next }) => next.startsWith('nothing: drift is only reported')));
  });

  test('tells of the Node where there is to be one', () => {
    const conditions = [
      ...(machine().status?.conditions ?? []),
      condition('NodeReady', 'False', { message: 'Waits for Node n17' }),
    ];
    const finding = only(
      why({
        machine: machine({
          spec: { ...machine().spec, nodeName: 'n17' },
          status: { ...machine().status, conditions },
        }),
      }),
    );
    assert.equal(finding.what, 'node n17');
    assert.equal(finding.why, 'Waits for Node n17');
  });

  test('shows warnings of the last hour only, the newest last', () => {
    const event = (minutes: number, reason: string) => ({
      at: new Date(now - minutes * 60_000).toISOString(),
      type: 'Warning',
      reason,
      message: '',
      about: 'Machine n17',
    });
    const { events } = explain({
      name: 'n17',
      machine: machine(),
      import: undefined,
      sets: [],
      events: [event(90, 'Old'), event(5, 'New'), { ...event(1, 'Fine'), type: 'Normal' }],
      now,
    });
    assert.deepEqual(
      events.map(({ reason }) => reason),
      ['New'],
    );
  });
});
